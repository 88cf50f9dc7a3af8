# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# The configuration of a door: lines of `key=value`, read and never executed. Comments are whole lines that begin with `#`.
# A key that is unknown, repeated or missing, and a value without its form, keep the door shut.

# What stands in the file, with the defaults for what does not: those of pam.conf, unless a door has changed them.
declare -gA config=(
  [ca]=''
  [key]=/etc/ssh/ssh_host_ed25519_key
  [state]=/var/lib/countersign
  [resource]=''
  [revoked-keys]=''
  [users]=''
  [groups]=''
  [exempt-group]=''
  [people]=1
  [required-groups]=''
  [touch]=no
  [longest]=900
  [longest-duration]=0
  [grants]=no
  [duration]=0
  [shared-requester]=one-more
  [wait]=100
  [sudo-wait]=60
  [mode]=enforce
  [offline]=''
  [sessions]=no
  [alone-group]=''
  [alone-after]=''
  [alone-reason]=''
)
# The account for which %u stands in values, empty where there is none.
config_account=''
# These have no default.
config_required=(broker fingerprint door submitter signers)
# Taken from broker=: the base of all addresses, and the socket or nothing.
broker_url='' broker_socket=''
# Taken from fingerprint=: the keys under which the broker may be named, the one to name first at the front.
fingerprints=()
# Taken from required-groups=: names and counts in the order of the file.
required_groups=() required_counts=()

# read_config FILE: sets `config` and what follows from it.
read_config() {
  local text='' line key value known=" ${!config[*]} ${config_required[*]} "
  local -A given=()
  local -a lines=()
  local -i number=0
  read_lines "$1" || shut bad-config "$1 cannot be read, or is not lines of printable ASCII that end with LF"
  for line in "${lines[@]}"; do
    ((number += 1))
    [[ $line && $line != '#'* ]] || continue
    key=${line%%=*} value=${line#*=}
    [[ $line == [a-z]*=[!\ ]* && $key != *[!a-z-]* && $value != *' ' ]] || shut bad-config "$1 line $number: not key=value"
    [[ $known == *" $key "* || $key != number ]] ||
      shut bad-config "$1 line $number: number is for gates, run and CI jobs: whoever logs in is shown nothing before it is decided"
    [[ $known == *" $key "* ]] || shut bad-config "$1 line $number: unknown key $key"
    [[ ! ${given[$key]-} ]] || shut bad-config "$1 line $number: $key stands twice"
    given[$key]=yes
    config[$key]=$value
  done
  for key in "${!config[@]}"; do
    [[ ! $config_account ]] || config[$key]=${config[$key]//%u/"$config_account"}
  done
  for key in "${config_required[@]}"; do
    [[ ${config[$key]-} ]] || shut bad-config "$1: $key is missing"
  done
  check_config "$1"
}

# check_config FILE: each value has its form, and the values go together.
check_config() {
  local key value
  for key in "${!config[@]}"; do
    value=${config[$key]}
    case $key in
      broker) parse_broker "$value" ;;
      ca | revoked-keys | offline) [[ ! $value ]] || is_path "$value" ;;
      key | signers | state) is_path "$value" ;;
      fingerprint) parse_fingerprints "$value" ;;
      submitter) is_name "$value" ;;
      door) is_name "$value" && [[ $value != demo && $value != demo.* ]] ;;
      resource) [[ $value != *[!A-Za-z0-9._:@/+-]* ]] && ((${#value} <= 255)) ;;
      environment) [[ ! $value ]] || are_variables "$value" ;;
      users | groups) [[ ! $value ]] || are_accounts "$value" ;;
      exempt-group) [[ ! $value ]] || { are_accounts "$value" && [[ $value != *,* ]]; } ;;
      people) is_count "$value" && ((value >= 1 && value <= 99)) ;;
      required-groups) [[ ! $value ]] || parse_required_groups "$value" ;;
      touch | grants | number | interactive | sftp | sessions) [[ $value == yes || $value == no ]] ;;
      longest | wait | sudo-wait) is_count "$value" && ((value >= 1 && value <= 86400)) ;;
      duration | longest-duration) is_count "$value" && ((value <= 2678400)) ;;
      shared-requester) [[ $value == one-more || $value == refuse || $value == accept ]] ;;
      alone-group) [[ ! $value ]] || { is_name "$value" && ((${#value} <= 122)); } ;;
      # Half a day, because an ask is kept for one.
      alone-after) [[ ! $value ]] || { is_count "$value" && ((value >= 1 && value <= 43200)); } ;;
      alone-reason) [[ ! $value ]] || { is_count "$value" && ((value >= 1 && value <= 900)); } ;;
      mode) [[ $value == enforce || $value == observe ]] ;;
      *) false ;;
    esac || shut bad-config "$1: the value of $key is not one that this key takes"
  done
  ((config[duration] <= ${config[longest-duration]})) ||
    shut bad-config "$1: duration is above longest-duration: this door would not take what it asks for"
  ! asks_number || [[ ${config[grants]} == no ]] ||
    shut bad-config "$1: number and grants exclude each other: a later equal ask has another number"
  [[ ! ${config[ca]} || $broker_url == https:* ]] || shut bad-config "$1: ca goes with an https:// broker"
  [[ (${config[alone-group]} && ${config[alone-after]}) || ! ${config[alone-group]}${config[alone-after]}${config[alone-reason]} ]] ||
    shut bad-config "$1: alone-group and alone-after go together, and alone-reason with them"
  [[ ! ${config[alone-group]} ]] || config[alone-reason]=${config[alone-reason]:-40}
  [[ ${config[resource]} ]] || config[resource]=${config[door]#host:}
}

# Whether this door shows its requester a number, which the approvers must be told.
asks_number() {
  [[ ${config[number]-no} == yes ]]
}

# An address with TLS, one of this machine without, or a Unix socket.
parse_broker() {
  local host=$1 port=''
  broker_socket='' broker_url=$1
  case $1 in
    unix:*)
      broker_socket=${1#unix:} broker_url=http://localhost
      is_path "$broker_socket"
      return
      ;;
    https://?*) host=${1#https://} ;;
    http://127.0.0.1 | http://127.0.0.1:* | http://localhost | http://localhost:* | http://\[::1\] | http://\[::1\]:*)
      host=${1#http://}
      ;;
    *) return 1 ;;
  esac
  # A colon that no bracket follows begins the port.
  if [[ ${host##*']'} == *:* ]]; then
    port=${host##*:} host=${host%:*}
    is_count "$port" || return 1
  fi
  if [[ $host == '['*']' ]]; then
    host=${host:1:${#host}-2}
    [[ $host == *:*:* && $host != *[!0-9A-Fa-f:.]* ]]
  else
    [[ $host == [A-Za-z0-9]* && $host != *[!A-Za-z0-9.-]* ]] && ((${#host} <= 253))
  fi
}

# One, or at most four of which each stands once: while the broker's key is rotated, its old and its new one.
parse_fingerprints() {
  local fingerprint
  fingerprints=()
  [[ $1 != *, ]] && IFS=, read -r -a fingerprints <<<"$1"
  ((${#fingerprints[@]} >= 1 && ${#fingerprints[@]} <= 4)) || return 1
  for fingerprint in "${fingerprints[@]}"; do
    is_fingerprint "$fingerprint" && [[ ${1/"$fingerprint"/} != *"$fingerprint"* ]] || return 1
  done
}

# is_pinned FINGERPRINT
is_pinned() {
  [[ $1 && " ${fingerprints[*]} " == *" $1 "* ]]
}

# Accounts or groups of this machine, at most 64: by name, as a number could be the name of one and the id of another.
are_accounts() {
  local -a names=()
  local name
  [[ $1 != *, ]] && IFS=, read -r -a names <<<"$1" && ((${#names[@]} <= 64)) || return 1
  for name in "${names[@]}"; do
    [[ $name == [A-Za-z_]* && $name != *[!A-Za-z0-9._@-]* ]] && ((${#name} <= 128)) || return 1
  done
}

# Names of environment variables, or beginnings of names followed by *, at most 64.
are_variables() {
  local -a names=()
  local name
  [[ $1 != *, ]] && IFS=, read -r -a names <<<"$1" && ((${#names[@]} <= 64)) || return 1
  for name in "${names[@]}"; do
    [[ $name == [A-Za-z_]* && ${name%'*'} != *[!A-Za-z0-9_]* ]] && ((${#name} <= 128)) || return 1
  done
}

# `oncall:1,db:1`: at most four groups, each once, each count at least 1.
parse_required_groups() {
  local -a items=()
  local item group count
  required_groups=() required_counts=()
  [[ $1 != *, ]] && IFS=, read -r -a items <<<"$1"
  ((${#items[@]} >= 1 && ${#items[@]} <= 4)) || return 1
  for item in "${items[@]}"; do
    group=${item%:*} count=${item##*:}
    [[ $item == *:* ]] && is_name "$group" && ((${#group} <= 122)) || return 1
    is_count "$count" && ((count >= 1 && count <= 99)) || return 1
    [[ " ${required_groups[*]} " != *" $group "* ]] || return 1
    required_groups+=("$group") required_counts+=("$count")
  done
}
