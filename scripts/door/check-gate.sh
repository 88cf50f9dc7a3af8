# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# countersign-gate check: tries everything that a command needs, without asking anybody. root looks at sshd, then lets the
# account look at the rest, because the gate runs as the account.

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
  said=$(sshd -T ${check_sshd_config:+-f "$check_sshd_config"} -C "user=$1,host=localhost,addr=127.0.0.1" 2>&1) ||
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
  if [[ ${set_to[disableforwarding]-} != yes ]]; then
    for keyword in allowtcpforwarding allowstreamlocalforwarding allowagentforwarding x11forwarding permittunnel; do
      [[ ${set_to[$keyword]-} == no ]] || ways+=("$keyword")
    done
  fi
  if ((${#ways[@]})); then
    failed "sshd: DisableForwarding is not yes: $1 gets ${ways[*]} without the gate"
  else
    passed 'sshd: no forwarding'
  fi
  require_set permituserrc no 'sshd runs ~/.ssh/rc before the gate'
  require_set permituserenvironment no 'files of the account set variables for the gate'
  check_accepted "${accepted[@]}"
  keys=${set_to[authorizedkeysfile]-}
  [[ $keys == /* && $keys != *' '* && $keys != *%h* ]] ||
    note "sshd: AuthorizedKeysFile $keys: an approved command can add keys there; /etc/ssh/authorized_keys/%u is root's"
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
