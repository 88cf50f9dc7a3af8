# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# countersign-pam check: tries everything that a login needs, without asking anybody, and says what would happen.

check_failures=0
check_config=/etc/countersign/pam.conf check_pam_directory=/etc/pam.d check_sshd_config='' check_new_signers='' check_user=''

# check ARGUMENT…: fails if anything would keep the door shut, or open it unasked.
check() {
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
  [[ -O / ]] || check_usage 'run this as root'
  if [[ $check_new_signers ]]; then
    compare_signers
    return
  fi
  attempt "configuration $check_config" configure "$check_config" || return 1
  [[ ${config[mode]} == enforce ]] || note 'mode=observe: everybody is let in'
  attempt 'signers, key, state and CA belong to root alone' require_trusted "${config[state]}" "${config[signers]}" \
    "${config[key]}" ${config[ca]:+"${config[ca]}"}
  attempt "state ${config[state]}" try_state || return 1
  open_state
  attempt 'clock is not before the latest use of this door' read_clock
  check_key
  attempt "signers ${config[signers]}" load_signers "${config[signers]}" && list_signers
  check_broker
  check_pam
  check_sshd
  [[ ! $check_user ]] || check_login
  close_state
  ((check_failures == 0))
}

check_usage() {
  printf 'countersign-pam: error: %s\nsee countersign-pam --help\n' "$1" >&2
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

# What must be the first account line: an earlier one could let somebody in, and seteuid makes the host key readable.
check_pam() {
  local service line hook="$here/countersign-pam" sudo_is_protected=no
  for service in sshd sudo sudo-i su su-l login; do
    [[ -e $check_pam_directory/$service ]] || continue
    line=$(first_account_line "$service" 0)
    if is_hook_line "$line"; then
      passed "PAM $service: the hook is the first account line"
      [[ $service != sudo ]] || sudo_is_protected=yes
    # `sudo -i` asks this service, and would be a way around.
    elif [[ $service == sshd || ($service == sudo-i && $sudo_is_protected == yes) ]] || grep_file "$check_pam_directory/$service" countersign-pam; then
      failed "PAM $service: the first account line is not: account required pam_exec.so seteuid stdout quiet $hook"
    else
      note "PAM $service: not protected"
    fi
  done
  [[ -e $check_pam_directory/sshd ]] || failed "PAM sshd: there is no $check_pam_directory/sshd"
}

# grep_file FILE TEXT
grep_file() {
  local text=''
  IFS= read -r -d '' text <"$1"
  [[ $text == *"$2"* ]]
}

# first_account_line SERVICE DEPTH: prints it, with single spaces.
first_account_line() {
  local line type control rest part=''
  (($2 < 8)) && [[ $1 != */* && -r $check_pam_directory/$1 ]] || return
  while IFS= read -r line || [[ $line ]]; do
    line=$part$line part=''
    [[ $line != *\\ ]] || { part=${line%?}' ' && continue; }
    read -r type control rest <<<"${line%%#*}"
    [[ $control != \[* ]] || control="${line#*\[}"
    case $type in
      @include) first_account_line "$control" $(($2 + 1)) && return ;;
      account | -account)
        if [[ $control == include || $control == substack ]]; then
          first_account_line "$rest" $(($2 + 1)) && return
        else
          printf '%s %s %s' "$type" "$control" "$rest"
          return
        fi
        ;;
    esac
  done <"$check_pam_directory/$1"
  return 1
}

# is_hook_line LINE
is_hook_line() {
  local -a words=()
  local options
  read -r -a words <<<"$1"
  [[ ${words[0]-} == account && ${words[1]-} =~ ^(required|requisite)$ && ${words[2]-} =~ ^(/.*/)?pam_exec\.so$ ]] || return 1
  options=" ${words[*]:3} "
  # The command is the first path; all that follows are its arguments.
  [[ ${options#"${options%% /*}"} == " $here/countersign-pam "* ]] || return 1
  options=" ${options%% /*} "
  [[ $options == *' seteuid '* && $options == *' stdout '* && $options == *' quiet '* && $options != *' type='* ]]
}

check_sshd() {
  local said
  local -i grace
  said=$(sshd -T ${check_sshd_config:+-f "$check_sshd_config"} 2>&1) || { failed "sshd -T: ${said%%$'\n'*}"; return; }
  said=$'\n'$said$'\n'
  if [[ $said == *$'\nusepam yes\n'* ]]; then
    passed 'sshd: UsePAM yes'
  else
    failed 'sshd: UsePAM is not yes, so that no login asks PAM'
  fi
  said=${said#*$'\nlogingracetime '}
  grace=${said%%[!0-9]*}
  ((grace == 0 || grace >= config[wait] + 10)) ||
    note "sshd: LoginGraceTime $grace ends logins before wait=${config[wait]} is over"
}

read_account() {
  read_pam
  look_up_accounts 2>/dev/null
  read_accounts
}

# What a login of the user would need.
check_login() {
  local said
  PAM_TYPE=account PAM_SERVICE=sshd PAM_USER=$check_user
  said=$(
    trap 'printf "%s" "$end_text"' EXIT
    read_account
    end_text=''
  ) || { failed "$check_user: $said" || return; }
  [[ ! $said ]] || { note "$check_user: let in unasked: $said" && return; }
  read_account
  if [[ ${signer_of[$requester]-} ]]; then
    passed "$check_user: asks as $requester, who is ${signer_of[$requester]}"
  else
    passed "$check_user: asks as $requester, who is not one person of the signers file (shared-requester=${config[shared-requester]})"
  fi
  if quorum_possible "$requester"; then
    passed "$check_user: people=${config[people]} required-groups=${config[required-groups]:--} can be met"
  else
    failed "$check_user: nobody can approve this: $quorum_missing"
  fi
}

# Lists what becomes of people, keys and groups if the new file takes the place of the configured one.
compare_signers() {
  local -A before=() after=()
  local fact
  attempt "configuration $check_config" configure "$check_config" || return 1
  parse_signers "${config[signers]}" || failed "${config[signers]} line $bad_line: $bad_reason" || return 1
  signer_facts before
  parse_signers "$check_new_signers" || failed "$check_new_signers line $bad_line: $bad_reason" || return 1
  signer_facts after
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
