# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# What PAM says about a login: who wants access to what, and whether that needs approval. The names come from the peer and
# may be any bytes but NUL.

pam_action=''
# Who wants access: as PAM says, and as a name of the document.
pam_subject='' requester=''
# Accounts to look up: the subject, the target, and those of the configuration. The descriptor on which their ids come.
pam_accounts=() pam_uids=''
# The details of the document: canonical JSON.
pam_details=''
# Whether sudo or su asks: then the parent's command line is what will run.
pam_is_command=no
# The key of the configuration that says for how long to wait.
pam_wait='wait'

# Longest name, longest argument or variable, and all arguments together, in bytes.
readonly max_name=1024 max_argument=4096 max_arguments=16384
# The variables that decide what a command of sudo or su runs, in canonical order.
readonly command_variables=(EDITOR PATH SHELL SUDO_EDITOR VISUAL)

# read_pam: parses what pam_exec passes on.
read_pam() {
  local name
  [[ ${PAM_TYPE-} == account ]] || shut wrong-type 'this is for an account line of PAM'
  [[ ${PAM_SERVICE-} && $PAM_SERVICE != *[!a-z0-9._-]* ]] && ((${#PAM_SERVICE} <= 64)) ||
    shut bad-service 'the service has no usable name'
  for name in PAM_USER PAM_RUSER PAM_RHOST PAM_TTY; do
    json_string "${!name-}" "$max_name" || shut bad-name "$name is too long or not UTF-8"
  done
  case $PAM_SERVICE in
    sshd) pam_action=ssh.login ;;
    sudo | sudo-i) pam_action=sudo.run pam_is_command=yes pam_wait=sudo-wait ;;
    su | su-l) pam_action=su.login pam_is_command=yes pam_wait=sudo-wait ;;
    *) pam_action=pam.$PAM_SERVICE ;;
  esac
  pam_subject=${PAM_USER-}
  [[ $pam_is_command == no ]] || pam_subject=${PAM_RUSER-}
}

# look_up_accounts: the first half of `read_accounts`, so that `id` runs while something else is done.
look_up_accounts() {
  local name
  local -a users=()
  pam_accounts=("$pam_subject" "${PAM_USER-}")
  [[ ! ${config[users]} ]] || IFS=, read -r -a users <<<"${config[users]}"
  pam_accounts+=("${users[@]}")
  for name in "${pam_accounts[@]}"; do
    # `id` takes a number for the id of somebody, also behind white space.
    [[ $name && ! $name =~ ^[[:space:]]*\+?[0-9]+$ ]] || shut bad-name 'PAM names no user'
  done
  exec {pam_uids}< <(exec id -u -- "${pam_accounts[@]}")
}

# read_accounts: sets `requester`; ends the run where no approval is needed. Accounts are compared as numbers, because a name
# may have several spellings.
read_accounts() {
  local uid listed
  local -a uids=()
  mapfile -t -u "$pam_uids" uids
  exec {pam_uids}<&-
  ((${#uids[@]} == ${#pam_accounts[@]})) || shut unknown-user 'a user of PAM or of the configuration is not known'
  for uid in "${uids[@]}"; do
    is_uid "$uid" || shut unknown-user 'a user of PAM or of the configuration is not known'
  done
  requester=$pam_subject
  is_name "$requester" && [[ $requester != *:* ]] || requester=uid:${uids[0]}
  listed=" ${uids[*]:2} "
  if [[ $pam_is_command == yes && ${uids[0]} == 0 ]] && parent_is_root; then
    pass root 'root needs no approval'
  elif is_in_groups "$pam_subject" "${config[exempt-group]}"; then
    pass exempt 'the exempt group needs no approval'
  elif [[ ${config[users]}${config[groups]} && $listed != *" ${uids[0]} "* && $listed != *" ${uids[1]} "* ]] &&
    ! is_in_groups "$pam_subject" "${config[groups]}" && ! is_in_groups "${PAM_USER-}" "${config[groups]}"; then
    pass unlisted 'this user needs no approval'
  fi
}

# pass CODE TEXT: opens without asking.
pass() {
  end_quietly=yes
  end 0 "$1" "$2"
}

is_uid() {
  [[ $1 == 0 || ($1 == [1-9]* && $1 != *[!0-9]*) ]] && ((${#1} <= 10))
}

# Whether the real user of sudo or su is root: the name alone could be said by another program.
parent_is_root() {
  local line
  while read -r line; do
    [[ $line != 'Uid:'[[:space:]]0[[:space:]]* ]] || return 0
  done <"/proc/$PPID/status"
  return 1
}

# is_in_groups USER GROUP,…: false for no groups.
is_in_groups() {
  local gids gid line
  local -a groups=() entries=()
  [[ $2 ]] || return 1
  IFS=, read -r -a groups <<<"$2"
  mapfile -t entries < <(exec getent group "${groups[@]}")
  ((${#entries[@]} == ${#groups[@]})) || shut unknown-group 'a group of the configuration is not known'
  gids=$(exec id -G -- "$1") && [[ $gids && $gids != *[!0-9\ ]* ]] || shut unknown-user 'cannot tell the groups of a user'
  for line in "${entries[@]}"; do
    IFS=: read -r _ _ gid _ <<<"$line"
    is_uid "$gid" || shut unknown-group 'a group of the configuration is not known'
    [[ " $gids " != *" $gid "* ]] || return 0
  done
  return 1
}

# describe_pam: sets `pam_details`, with raw names; for sudo and su also what will run, from the parent.
describe_pam() {
  local rhost ruser tty user command=''
  json_string "${PAM_RHOST-}" "$max_name" && rhost=$json
  json_string "${PAM_RUSER-}" "$max_name" && ruser=$json
  json_string "${PAM_TTY-}" "$max_name" && tty=$json
  json_string "${PAM_USER-}" "$max_name" && user=$json
  if [[ $pam_is_command == yes ]]; then
    describe_command
    command="$json,"
  fi
  pam_details="{$command\"ruser\":$ruser,\"service\":\"$PAM_SERVICE\",\"source\":$rhost,\"tty\":$tty,\"user\":$user}"
  [[ $pam_action != ssh.login ]] || pam_details="{\"service\":\"sshd\",\"source\":$rhost,\"tty\":$tty,\"user\":$user}"
}

# Sets `json` to the members argv, cwd and environment. Neither sudo nor su lets its caller change what /proc says of them.
describe_command() {
  local argv cwd='' name entry
  local -a arguments=() variables=() environment=()
  local -i total=0
  mapfile -d '' -t arguments <"/proc/$PPID/cmdline"
  mapfile -d '' -t environment <"/proc/$PPID/environ"
  IFS= read -r -d '' cwd < <(exec readlink -z -- "/proc/$PPID/cwd")
  [[ ${arguments[0]-} && $cwd == /* ]] || shut unreadable-command 'cannot read what will run'
  for entry in "${arguments[@]}"; do ((total += ${#entry} + 1)); done
  ((total <= max_arguments)) && json_array "$max_argument" "${arguments[@]}" ||
    shut long-command 'the command is too long to be approved, or not UTF-8'
  argv=$json
  for name in "${command_variables[@]}"; do
    for entry in "${environment[@]}"; do
      [[ $entry != "$name="* ]] || variables+=("$entry")
    done
  done
  json_array "$max_argument" "${variables[@]}" || shut long-command 'the environment is too long to be approved, or not UTF-8'
  variables=("$json")
  json_string "$cwd" "$max_argument" || shut long-command 'the directory is too long to be approved, or not UTF-8'
  json="\"argv\":$argv,\"cwd\":$json,\"environment\":${variables[0]}"
}
