# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# What the checks of all doors share: they try everything that a door needs, without asking anybody, and say what would happen.

check_failures=0
# What the command line says.
check_config='' check_pam_directory=/etc/pam.d check_sshd_config='' check_new_signers='' check_user=''

# read_check_arguments DEFAULT-CONFIG ARGUMENT…
read_check_arguments() {
  check_config=$1
  shift
  while (($#)); do
    case $1 in
      --config | --pam-dir | --sshd-config | --signers)
        (($# > 1)) || check_usage "$1 needs a value"
        case $1 in
          --config) check_config=$2 ;;
          --pam-dir) check_pam_directory=$2 ;;
          --sshd-config) check_sshd_config=$2 ;;
          --signers) check_new_signers=$2 ;;
        esac
        shift 2
        ;;
      -*) check_usage "unknown option $1" ;;
      *)
        [[ ! $check_user ]] || check_usage 'more than one user'
        check_user=$1
        shift
        ;;
    esac
  done
}

check_usage() {
  printf '%s: error: %s\nsee %s --help\n' "${0##*/}" "$1" "${0##*/}" >&2
  exit 1
}

passed() {
  printf 'ok    %s\n' "$1"
}

failed() {
  printf 'FAIL  %s\n' "$1"
  ((check_failures += 1))
  return 1
}

note() {
  printf 'note  %s\n' "$1"
}

# attempt WHAT COMMAND…: runs a command that may end the script, first where that does no harm.
attempt() {
  local what=$1 said
  shift
  said=$(
    # The trap runs while the redirection of the command still stands.
    exec 3>&1
    trap 'printf "%s" "$end_text" >&3' EXIT
    "$@" >/dev/null 2>&1
    trap - EXIT
  ) || { failed "$what: $said" && return; }
  "$@" >/dev/null && passed "$what"
}

try_state() {
  open_state
  sync -- "$run.pid" || state_failed
  close_state
}

# Whether this host can sign, and its ssh-keygen understands what the hook says to it.
check_key() {
  local text=$'countersign-check 1' armor
  if ! armor=$(ssh-keygen -Y sign -f "${config[key]}" -n submit@countersign <<<"$text" 2>/dev/null); then
    failed "key ${config[key]}: ssh-keygen cannot sign with it"
    return
  fi
  printf '%s\n' "$armor" >"$run.signature"
  printf 'host namespaces="submit@countersign",valid-after="20000101000000Z" %s\n' \
    "$(ssh-keygen -y -P '' -f "${config[key]}")" >"$run.signers"
  if ssh-keygen -Y verify -f "$run.signers" -I host -n submit@countersign -s "$run.signature" \
    -Overify-time=20200101000000Z <<<"$text" >/dev/null 2>&1; then
    passed "key ${config[key]}: $(ssh-keygen -l -f "${config[key]}")"
  else
    failed 'ssh-keygen does not verify what it signed: OpenSSH 9.1 or newer is needed'
  fi
}

# Whether the directory of offline receipts is good: the hook looks at it only when the broker is down.
check_offline() {
  [[ ! ${config[offline]} ]] || attempt "offline receipts may come from ${config[offline]}, which is root's" open_spool
}

list_signers() {
  local name
  for name in "${signer_names[@]}"; do
    printf '      %s\n' "${signer_principals[$name]//,/ }"
  done
}

check_broker() {
  local text='' fingerprint clock
  local -i off
  watching=no
  call GET /v1/broker '' '' 5 ''
  [[ $call_result != broken ]] || { failed "broker ${config[broker]}: $call_failure"; return; }
  IFS= read -r -d '' text <"$run.reply"
  [[ $text =~ \"fingerprint\":\"(SHA256:[A-Za-z0-9+/]{43})\" ]] && fingerprint=${BASH_REMATCH[1]} &&
    [[ $text =~ \"clock\":\"([0-9TZ:-]{20})\" ]] && clock=${BASH_REMATCH[1]} && parse_time "$clock" ||
    { failed "broker ${config[broker]}: this is no broker of Countersign"; return; }
  check_broker_key "$fingerprint" "$text" || return
  ((off = EPOCHSECONDS - epoch, off = off < 0 ? -off : off))
  if ((off > 30)); then
    failed "clock: $off seconds away from the broker's"
  else
    passed "clock: $off seconds away from the broker's"
  fi
}

# check_broker_key FINGERPRINT TEXT: whether the key of the broker is a pinned one, and until when. TEXT, in which the broker
# announces a new key, is its word alone and so makes nothing good: root compares, and pins.
check_broker_key() {
  local rest=$2 pinned said epoch
  local -A ends=()
  local announced='countersign-broker-key 1\\nold: (SHA256:[A-Za-z0-9+/]{43})\\nnew: [A-Za-z0-9@./+= -]+\\n'
  announced+='issued: [0-9TZ:-]{20}\\nold-valid-until: ([0-9TZ:-]{20})\\n'
  while [[ $rest =~ $announced ]]; do
    ends[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
    rest=${rest#*"${BASH_REMATCH[0]}"}
  done
  if is_pinned "$1"; then
    passed "broker ${config[broker]}"
    [[ ${fingerprints[0]} == "$1" ]] || note "broker: its key is $1 by now: let it stand first in fingerprint="
    for pinned in "${fingerprints[@]}"; do
      [[ $pinned == "$1" ]] || note "broker: $pinned ${ends[$pinned]:+ends at ${ends[$pinned]}}${ends[$pinned]-has ended}: remove it from fingerprint= then"
    done
    return
  fi
  for pinned in "${fingerprints[@]}"; do
    [[ ${ends[$pinned]-} ]] && parse_time "${ends[$pinned]}" && ((epoch > EPOCHSECONDS)) || continue
    passed "broker ${config[broker]}"
    said="broker: it says that its key is $1 from now on, and that $pinned ends at ${ends[$pinned]}: if \`countersign broker key show\` on its machine agrees, set fingerprint=$1,$pinned"
    if ((epoch - EPOCHSECONDS > 7 * 86400)); then note "$said"; else failed "$said"; fi
    return 0
  done
  failed "broker ${config[broker]}: its key is $1, not a configured one"
}

# Lists what becomes of people, keys and groups if the new file takes the place of the configured one.
compare_signers() {
  local -A before=() after=()
  attempt "configuration $check_config" configure "$check_config" || return 1
  parse_signers "${config[signers]}" || failed "${config[signers]} line $bad_line: $bad_reason" || return 1
  signer_facts before
  parse_signers "$check_new_signers" || failed "$check_new_signers line $bad_line: $bad_reason" || return 1
  signer_facts after
  print_fact_changes
}

# print_fact_changes: what is in the associative array `before` and not in `after`, and the other way round.
print_fact_changes() {
  local fact
  for fact in "${!before[@]}"; do
    [[ ${after[$fact]-} ]] || printf -- '- %s\n' "$fact"
  done | sort
  for fact in "${!after[@]}"; do
    [[ ${before[$fact]-} ]] || printf '+ %s\n' "$fact"
  done | sort
}

# signer_facts NAME: sets the associative array NAME to what the file that was parsed last says.
signer_facts() {
  local -n facts=$1
  local name principal line validity
  for name in "${signer_names[@]}"; do
    facts["person $name"]=yes
    for principal in ${signer_principals[$name]//,/ }; do
      case $principal in
        "$name") ;;
        group:*) facts["group ${principal:6}: $name"]=yes ;;
        *) facts["alias $principal: $name"]=yes ;;
      esac
    done
    while read -r _ validity line; do
      validity=${validity#*,}
      [[ $validity == valid-* ]] || validity=''
      facts["key of $name: $(ssh-keygen -l -f - <<<"$line")${validity:+ $validity}"]=yes
    done <<<"${signer_lines[$name]%$'\n'}"
  done
}
