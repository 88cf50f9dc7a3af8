# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# countersign-pam check: tries everything that a login needs, without asking anybody, and says what would happen.

# check_pam_door ARGUMENT…: fails if anything would keep the door shut, or open it unasked.
check_pam_door() {
  read_check_arguments /etc/countersign/pam.conf "$@"
  [[ -O / ]] || check_usage 'run this as root'
  if [[ $check_new_signers ]]; then
    compare_signers
    return
  fi
  attempt "configuration $check_config" configure "$check_config" || return 1
  [[ ${config[mode]} == enforce ]] || note 'mode=observe: everybody is let in'
  attempt 'signers, revoked keys, key, state and CA belong to root alone' require_trusted "${config[state]}" "${config[signers]}" \
    "${config[key]}" ${config[ca]:+"${config[ca]}"} ${config[revoked-keys]:+"${config[revoked-keys]}"}
  attempt "state ${config[state]}" try_state || return 1
  open_state
  attempt 'clock is not before the latest use of this door' read_clock
  check_key
  check_offline
  attempt "signers ${config[signers]}" load_signers "${config[signers]}" && list_signers
  check_broker
  check_pam
  check_sshd
  check_sessions
  [[ ! $check_user ]] || check_login
  close_state
  ((check_failures == 0))
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

# first_account_line FILE DEPTH: prints it, with single spaces; fails where the file brings none. What cannot be told for sure, it
# prints as it stands, which is no line of the hook. FILE is what libpam takes: a service, or a path.
first_account_line() {
  local file=$1 line part=''
  [[ $file == /* ]] || file=$check_pam_directory/$file
  (($2 < 8)) && [[ -f $file && -r $file ]] || { printf '@include %s' "$1" && return; }
  while IFS= read -r line || [[ $line ]]; do
    line=$part$line part=''
    if goes_on "$line" && ! is_unclear "$line"; then
      part=${line%\\*}' '
    else
      account_line_of "$line" "$2" && return
    fi
  done <"$file"
  [[ $part ]] && account_line_of "$part" "$2"
}

# goes_on LINE: whether the next line belongs to it: blanks behind the backslash do not count.
goes_on() {
  [[ ${1%"${1##*[![:space:]]}"} == *\\ ]]
}

# is_unclear LINE: whether libraries differ in where it ends. For most of them a comment ends a line whatever its last character.
is_unclear() {
  goes_on "$1" && [[ $1 == *['#'$'\r\v\f']* ]]
}

# account_line_of LINE DEPTH: prints the first account line that it brings; fails where it brings none.
account_line_of() {
  local type control rest
  read -r type control rest <<<"${1%%#*}"
  [[ $control != \[* ]] || control="${1#*\[}"
  if is_unclear "$1"; then
    printf '%s' "$1"
  elif [[ $type == @include ]]; then
    first_account_line "$control" $(($2 + 1))
  elif [[ $type == ?(-)account && $control == @(include|substack) ]]; then
    first_account_line "$rest" $(($2 + 1))
  elif [[ $type == ?(-)account ]]; then
    printf '%s %s %s' "$type" "$control" "$rest"
  else
    # libpam takes types in capital letters and in brackets, too.
    [[ ${type,,} != ?(?(-)@(auth|password|session)) ]] && printf '%s' "$1"
  fi
}

# is_hook_line LINE
is_hook_line() {
  local -a words=()
  local options arguments
  read -r -a words <<<"$1"
  [[ ${words[0]-} == account && ${words[1]-} =~ ^(required|requisite)$ && ${words[2]-} =~ ^(/.*/)?pam_exec\.so$ ]] || return 1
  options=" ${words[*]:3} "
  # The command is the first path; all that follows are its arguments: none, or the configuration that is looked at.
  arguments=${options#"${options%% /*}"}
  [[ $arguments == " $here/countersign-pam " || $arguments == " $here/countersign-pam --config $check_config " ]] || return 1
  options=" ${options%% /*} "
  [[ $options == *' seteuid '* && $options == *' stdout '* && $options == *' quiet '* && $options != *' type='* ]]
}

# Whether sessions are watched where the configuration says so.
check_sessions() {
  if [[ ${config[sessions]} == no ]]; then
    note 'sessions=no: an SSH session that was let in goes on when its approval is revoked'
    return
  fi
  if has_session_line "$check_pam_directory/sshd"; then
    passed 'PAM sshd: its sessions end when their approval is revoked'
    return
  fi
  failed "PAM sshd: sessions=yes, but there is no line: ${session_line-session optional pam_exec.so seteuid quiet $here/countersign-pam session}"
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
