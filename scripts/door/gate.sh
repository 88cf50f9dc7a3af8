# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# What sshd says about a session: the command, who asks for it, with which key, from where. The command and the variables come
# from the client and may be any bytes but NUL. Read before the configuration, of which it changes the keys.

# What pam.conf has and gate.conf has not: sshd_config says for whom there is a gate, and a gate that only observes is none.
unset 'config[users]' 'config[groups]' 'config[exempt-group]' 'config[sudo-wait]' 'config[mode]' 'config[sessions]'
config+=(
  [key]=/etc/countersign/gate/%u.key
  [state]=/var/lib/countersign-gate/%u
  [wait]=300
  [interactive]=no
  [sftp]=no
  [number]=no
  [environment]='LANG,LC_*,COLORTERM,NO_COLOR'
)

# The environment as sshd gave it, NAME=VALUE; by name; and whether standard input is a terminal.
session_environment=()
declare -gA session_variable=()
session_tty=false
# The account, its id, its shell, and who wants to run something: a name of the document.
account='' account_id='' account_shell='' requester=''
# Fingerprints, and TYPE BASE64, of the keys with which the client logged in.
login_keys=() login_key_texts=()
# What is asked for: canonical JSON. What runs if it is approved: a program and its arguments.
gate_action='' gate_details='' session_program=()

# Longest command and variable, in bytes.
readonly max_command=4096

# Where sshd's sftp-server may be, which internal-sftp stands for: sshd's own cannot be started from here.
readonly sftp_servers=(/usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server /usr/lib/ssh/sftp-server
  /usr/libexec/sftp-server)

# read_environment: what the shell of the account has added itself is left out, as the next one will add it again.
read_environment() {
  local entry name
  local -a entries=()
  mapfile -d '' -t entries <"/proc/$$/environ"
  for entry in "${entries[@]}"; do
    name=${entry%%=*}
    [[ $entry == [!=]*=* && ! ${session_variable[$name]+given} ]] || shut bad-environment 'sshd gives no usable environment'
    session_variable[$name]=${entry#*=}
    case $name in
      SHLVL | PWD | OLDPWD | _) ;;
      *) session_environment+=("$entry") ;;
    esac
  done
  [[ ${session_variable[SSH_CONNECTION]-} ]] || shut usage 'this is the forced command of sshd: see --help'
}

# read_account: sets `account`, for which %u stands.
read_account() {
  account_id=$(exec id -u) && IFS=: read -r account _ _ _ _ _ account_shell < <(exec getent passwd "$account_id")
  [[ $account == [A-Za-z_]* && $account != *[!A-Za-z0-9._@-]* ]] && ((${#account} <= 128)) ||
    shut bad-name 'this account has no name that a gate takes'
  account_shell=${account_shell:-/bin/sh}
  [[ $account_shell == /* && -x $account_shell ]] || shut no-shell 'the shell of this account cannot be run'
  config_account=$account
}

# require_own_state: the state is the account's alone, in a directory of root's.
require_own_state() {
  local mode
  require_trusted "${config[state]%/*}"
  mode=$(exec stat -c '%u %f' -- "${config[state]}") && [[ $mode == "$account_id 41c0" ]] ||
    shut unsafe-file "${config[state]} is not a directory of $account with mode 0700"
  [[ -r ${config[key]} ]] || shut no-key "$account cannot read ${config[key]}"
}

# read_login_keys: takes the keys from the file in which sshd says how the client has logged in (ExposeAuthInfo).
read_login_keys() {
  local file=${session_variable[SSH_USER_AUTH]-} text='' line rest
  local -a lines=()
  [[ $file == /* && -f $file && -O $file ]] && read_lines "$file" && ((${#text} <= 65536)) ||
    shut no-auth-info 'sshd does not say which key logged in: ExposeAuthInfo is not yes'
  for line in "${lines[@]}"; do
    [[ $line == 'publickey '* ]] || continue
    rest=${line#publickey }
    [[ $rest == [a-z]*' '[A-Za-z0-9+/]* && $rest != *' '*' '* ]] && ((${#login_keys[@]} < 8)) ||
      shut no-auth-info 'sshd names a key in a form that is not known'
    login_key_texts+=("$rest")
    read -r _ line _ < <(exec ssh-keygen -l -f - <<<"$rest") && is_fingerprint "$line" ||
      shut no-auth-info 'ssh-keygen does not know the key that logged in'
    login_keys+=("$line")
  done
}

# find_requester: the person of the signers file whose key logged in, else the account. For the account as shared one the rules
# of quorum.sh hold. With keys of several people it is the account, too.
find_requester() {
  local name key found=''
  requester=$account
  is_name "$requester" && [[ $requester != *:* ]] || requester=uid:$account_id
  for key in "${login_key_texts[@]}"; do
    for name in "${signer_names[@]}"; do
      [[ ${signer_lines[$name]} != *" $key"$'\n'* || " $found " == *" $name "* ]] || found+=" $name"
    done
  done
  [[ $found != ' '* || $found == ' '*' '* ]] || requester=${found# }
}

# describe_session: sets `gate_action`, `gate_details` and `session_program`; ends the run for what is not configured.
describe_session() {
  local command=${session_variable[SSH_ORIGINAL_COMMAND]-} details='' path
  local source=${session_variable[SSH_CONNECTION]%% *}
  if [[ ! ${session_variable[SSH_ORIGINAL_COMMAND]+given} ]]; then
    [[ ${config[interactive]} == yes ]] ||
      shut no-interactive 'no interactive shells here (interactive=no): say the command, as in ssh HOST COMMAND'
    gate_action=ssh.shell
    # The name by which a shell knows that it is a login shell.
    # shellcheck disable=SC2016 # for the inner shell
    session_program=(/bin/bash -p -c 'exec -a "$1" "$2"' bash "-${account_shell##*/}" "$account_shell")
  else
    json_string "$command" "$max_command" ||
      shut long-command "the command is longer than $max_command bytes, or not UTF-8: put it into a script on the host"
    details="\"command\":$json,"
    gate_action=ssh.command
    session_program=("$account_shell" -c "$command")
    if is_sftp "$command"; then
      [[ ${config[sftp]} == yes ]] || shut no-sftp 'no SFTP here (sftp=no): use rsync, or scp -O'
      gate_action=ssh.sftp
      for path in "${sftp_servers[@]}"; do
        [[ ! -x $path || ${command%% *} != internal-sftp ]] || command=$path${command#internal-sftp}
      done
      [[ $command == /* ]] || shut no-sftp 'the sftp-server of this host is not found'
      session_program=("$account_shell" -c "$command")
    fi
  fi
  describe_environment
  details+="\"environment\":$json,"
  json_array 64 "${login_keys[@]}"
  details+="\"keys\":$json,"
  json_string "$source" 256 || shut bad-name 'the address of the client is not usable'
  gate_details="{$details\"source\":$json,\"tty\":$session_tty,\"user\":\"$account\"}"
}

# Whether a command is what sshd runs for the subsystem sftp.
is_sftp() {
  [[ $1 != *[!A-Za-z0-9\ ._/-]* && ${1%% *} =~ ^(internal-sftp|/.*/sftp-server)$ ]]
}

# Sets `json` to those variables of the environment that the client may have chosen, sorted.
describe_environment() {
  local entry pattern
  local -a patterns=() chosen=()
  IFS=, read -r -a patterns <<<"${config[environment]}"
  # Without a terminal the client does not say which it has.
  [[ $session_tty == false ]] || patterns+=(TERM)
  for entry in "${session_environment[@]}"; do
    for pattern in "${patterns[@]}"; do
      # shellcheck disable=SC2053 # a pattern is meant
      [[ ${entry%%=*} == $pattern ]] || continue
      chosen+=("$entry")
      break
    done
  done
  # A variable with an LF is longer than one line, so that nothing here takes it apart.
  ((${#chosen[@]} < 2)) || mapfile -d '' -t chosen < <(printf '%s\0' "${chosen[@]}" | exec sort -z)
  json_array "$max_command" "${chosen[@]}" || shut bad-environment 'a variable that the client sends is too long, or not UTF-8'
  ((${#json} <= 16384)) || shut bad-environment 'the variables that the client sends are too long'
}
