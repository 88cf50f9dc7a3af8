# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# countersign-gate check: tries everything that a command needs, without asking anybody. root looks at sshd, then lets the
# account look at the rest, because the gate runs as the account.

# As from where a session is looked at, for sshd -C.
readonly check_connection=host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22

# check_gate ARGUMENT…: fails if anything would keep the gate shut, or be a way around it.
check_gate() {
  read_check_arguments /etc/countersign/gate.conf "$@"
  if [[ ! $check_user ]]; then
    [[ ! -O / ]] || check_usage 'which account is behind the gate? Name it'
    check_as_account
  else
    [[ -O / ]] || check_usage 'run this as root, or without USER as the account itself'
    check_session_of "$check_user"
    setpriv --reuid "$check_user" --regid "$check_user" --init-groups --reset-env -- \
      "$here/${0##*/}" check --config "$check_config" || ((check_failures += 1))
  fi
  ((check_failures == 0))
}

# What the account itself can tell.
check_as_account() {
  local line
  attempt 'account' read_account || return
  attempt "configuration $check_config, scripts, signers, key and state" configure "$check_config" || return
  attempt "state ${config[state]}" try_state || return
  open_state
  attempt 'clock is not before the latest use of this gate' read_clock
  check_key
  check_offline
  if attempt "signers ${config[signers]}" load_signers "${config[signers]}"; then
    list_signers
    requester=$account
    [[ ${signer_of[$requester]-} ]] ||
      note "$account is not one person of the signers file (shared-requester=${config[shared-requester]}): who logs in with a key that stands there asks as its owner"
    if quorum_possible "$requester"; then
      passed "people=${config[people]} required-groups=${config[required-groups]:--} can be met for $requester"
    elif [[ ${signer_of[$requester]-} ]]; then
      failed "for $requester nobody can approve: $quorum_missing"
    else
      note "who logs in with a key that does not stand in the signers file asks in vain: $quorum_missing"
    fi
  fi
  check_broker
  close_state
}

# check_session_of USER: whether sshd lets this user in by the gate alone.
check_session_of() {
  local said keyword value forced='' keys=''
  local -A set_to=()
  local -a accepted=() ways=()
  said=$(sshd -T ${check_sshd_config:+-f "$check_sshd_config"} -C "user=$1,$check_connection" 2>&1) ||
    { failed "sshd -T: ${said%%$'\n'*}"; return; }
  while read -r keyword value; do
    set_to[$keyword]=$value
    [[ $keyword != acceptenv ]] || accepted+=("$value")
  done <<<"$said"
  forced=${set_to[forcecommand]-}
  if [[ $forced == "$here/countersign-gate" || $forced == "$here/countersign-gate --config $check_config" ]]; then
    passed "sshd: $1 gets nothing but the gate"
  else
    failed "sshd: ForceCommand of $1 is not $here/countersign-gate (command= of authorized_keys is not seen here)"
  fi
  require_set exposeauthinfo yes 'the gate does not learn which key logged in'
  # Before OpenSSH 10.0, DisableForwarding left agents and X11 out (CVE-2025-32728).
  for keyword in allowagentforwarding x11forwarding allowtcpforwarding allowstreamlocalforwarding permittunnel; do
    [[ ${set_to[$keyword]-} == no || (${set_to[disableforwarding]-} == yes && $keyword != @(allowagent|x11)*) ]] ||
      ways+=("$keyword")
  done
  if ((${#ways[@]})); then
    failed "sshd: DisableForwarding is not yes, or AllowAgentForwarding or X11Forwarding not no: $1 gets ${ways[*]} without the gate"
  else
    passed 'sshd: no forwarding'
  fi
  require_set permituserrc no 'sshd runs ~/.ssh/rc before the gate'
  require_set permituserenvironment no 'files of the account set variables for the gate'
  check_accepted "${accepted[@]}"
  check_connections "$1"
  keys=${set_to[authorizedkeysfile]-}
  [[ $keys == /* && $keys != *' '* && $keys != *%h* ]] ||
    note "sshd: AuthorizedKeysFile $keys: an approved command can add keys there; /etc/ssh/authorized_keys/%u is root's"
}

# check_connections USER: whether sshd holds this user alike wherever the connection comes from: Match blocks for some addresses,
# names or ports are not seen from here. Each is looked at as one of its own connections would meet it.
check_connections() {
  local criteria from here_set there_set
  local -A looked_at=()
  here_set=$(session_settings "user=$1,$check_connection")
  while IFS= read -r criteria; do
    from=$(connection_of "$criteria") && [[ ! ${looked_at[$from]-} ]] || continue
    looked_at[$from]=yes
    there_set=$(session_settings "user=$1,$from") && [[ $there_set == "$here_set" ]] ||
      failed "sshd: Match $criteria changes how $1 is held: compare sshd -T -C user=$1,$from"
  done < <(match_lines "${check_sshd_config:-/etc/ssh/sshd_config}" 0)
}

# session_settings CONNECTION: prints what sshd says of it that matters to a gate.
session_settings() {
  local said keyword value
  said=$(sshd -T ${check_sshd_config:+-f "$check_sshd_config"} -C "$1" 2>/dev/null) || return
  while read -r keyword value; do
    case $keyword in
      forcecommand | exposeauthinfo | disableforwarding | allowtcpforwarding | allowstreamlocalforwarding | allowagentforwarding | \
        x11forwarding | permittunnel | permituserrc | permituserenvironment | acceptenv | authorizedkeysfile)
        printf '%s %s\n' "$keyword" "$value"
        ;;
    esac
  done <<<"$said"
}

# match_lines FILE DEPTH: prints the criteria of all Match blocks, those of included files too.
match_lines() {
  local line pattern file
  local -a words=()
  (($2 < 16)) && [[ -f $1 && -r $1 ]] || return 0
  while IFS= read -r line || [[ $line ]]; do
    # sshd takes `Match=...` and quotes.
    line=${line/=/ }
    read -r -a words <<<"${line//\"/}"
    case ${words[0],,} in
      match) printf '%s\n' "${words[*]:1}" ;;
      include)
        for pattern in "${words[@]:1}"; do
          [[ $pattern == /* ]] || pattern=/etc/ssh/$pattern
          # shellcheck disable=SC2231 # a pattern is meant
          for file in $pattern; do match_lines "$file" $(($2 + 1)); done
        done
        ;;
    esac
  done <"$1"
}

# connection_of CRITERIA: prints a connection that meets them, as sshd -C takes it; fails where they are not about connections.
connection_of() {
  local -a words=()
  local addr=127.0.0.1 host=localhost laddr=127.0.0.1 lport=22 value about=''
  local -i at
  read -r -a words <<<"$1"
  for ((at = 0; at + 1 < ${#words[@]}; at += 2)); do
    # The first of a list that is not excluded; any character stands for those of a pattern.
    value=${words[at + 1]}
    while [[ $value == !*,* ]]; do value=${value#*,}; done
    value=${value%%[,/]*}
    value=${value//[*?]/1}
    # 192.168.* is 192.168.1.1.
    while [[ ${words[at],,} == *address && $value != *:* && $value != *.*.*.* ]]; do value+=.1; done
    about+=${words[at],,}
    case ${words[at],,} in
      address) addr=$value ;;
      host) host=$value ;;
      localaddress) laddr=$value ;;
      localport) lport=$value ;;
    esac
  done
  [[ $about == *@(address|host|localport)* ]] && printf 'host=%s,addr=%s,laddr=%s,lport=%s' "$host" "$addr" "$laddr" "$lport"
}

# require_set KEYWORD VALUE WHY
require_set() {
  if [[ ${set_to[$1]-} == "$2" ]]; then
    passed "sshd: $1 $2"
  else
    failed "sshd: $1 is ${set_to[$1]-not known}, not $2: $3"
  fi
}

# check_accepted PATTERN…: what the client may send must be part of what is approved. gate.conf is read for that alone.
check_accepted() {
  local accepted listed
  local -a names=()
  config_account=$check_user
  (read_config "$check_config") >/dev/null && read_config "$check_config" || return
  IFS=, read -r -a names <<<"${config[environment]}"
  for accepted; do
    for listed in "${names[@]}"; do
      # shellcheck disable=SC2053 # a pattern is meant
      [[ $accepted != $listed ]] || continue 2
    done
    failed "sshd: AcceptEnv $accepted is not in environment= of $check_config: a client could change what is run unseen"
  done
}
