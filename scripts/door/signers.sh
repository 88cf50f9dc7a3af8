# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# The signers file of a door: the strict subset of the ALLOWED SIGNERS format of ssh-keygen(1) that the TypeScript parser
# takes too (test/fixtures/vectors/ssh/signers holds both to it). One bad line keeps the door shut.
#
#   NAME[,ALIAS…][,group:G…] namespaces="decision@countersign"[,valid-after="T"][,valid-before="T"] TYPE BASE64

# People in the order of the file.
signer_names=()
# By NAME: the principals as they stand in the file; ` G1 G2 ` of its groups; the lines for ssh-keygen, with NAME as only
# principal, so that a signature that holds against them is this person's, whatever other names the file gives.
declare -gA signer_principals=() signer_groups=() signer_lines=()
# The NAME to which a NAME or alias belongs.
declare -gA signer_of=()
# `TYPE BASE64` to the line in which it stands.
declare -gA signer_key_line=()
# The text that was parsed last.
signers_text=''
# The first bad line and what is wrong with it, after a failure.
bad_line=0 bad_reason=''
# A file of the state with lines that have passed all checks of a line by itself, of which those of its key take long in a
# shell; empty for no memory.
known_keys_file=''

# load_signers FILE: parses the file unless it still holds what was parsed last; reads the revoked keys with it.
load_signers() {
  local text=''
  [[ ! ${config[revoked-keys]} ]] || load_revoked_keys "${config[revoked-keys]}"
  IFS= read -r -d '' text <"$1"
  [[ $text && $text == "$signers_text" ]] && return
  parse_signers "$1" || shut bad-signers "signers file line $bad_line: $bad_reason"
}

# parse_signers FILE: fails with `bad_line` and `bad_reason`.
parse_signers() {
  local text='' line ended='' whole=''
  local -a lines=() fresh=()
  local -A known=()
  signer_names=() signer_principals=() signer_groups=() signer_lines=() signer_of=() signer_key_line=()
  bad_line=0 bad_reason='' signers_text=''
  IFS= read -r -d '' text <"$1" && ended='the line holds a NUL'
  if [[ $known_keys_file && -f $known_keys_file ]]; then
    mapfile -t lines <"$known_keys_file"
    for line in "${lines[@]}"; do known[$line.]=yes; done
    lines=()
  fi
  [[ ! $text || $text == *$'\n' ]] || ended=${ended:-the line does not end with LF}
  # From the file, because a here-string is read byte by byte; unless it is not what was read before.
  mapfile -t lines <"$1"
  printf -v whole '%s\n' "${lines[@]}"
  [[ $whole == "$text" && ! $ended ]] || mapfile -t lines <<<"${text%$'\n'}"
  [[ $text ]] || lines=()
  for line in "${lines[@]}"; do
    ((bad_line += 1))
    if [[ ! ${known[$line.]-} ]]; then
      [[ $line != *[!\ -~]* ]] || { bad_reason='a byte is not printable ASCII' && return 1; }
      [[ $line != '#'* ]] || continue
      is_signer_line "$line" || return 1
      fresh+=("$line")
    fi
    take_signer "$line" || return 1
  done
  if [[ $ended ]] || ((${#signer_names[@]} == 0)); then
    bad_line=$((${#lines[@]} ? ${#lines[@]} : 1)) bad_reason=${ended:-the file names no signer}
    return 1
  fi
  bad_line=0 signers_text=$text
  if [[ $known_keys_file ]] && ((${#fresh[@]})); then
    printf '%s\n' "${fresh[@]}" >>"$known_keys_file" || shut state-failed 'cannot write the state'
  fi
}

# take_signer LINE: adds a line that is good by itself to the others. Cut by patterns: regular expressions would take most of
# the time of a login.
take_signer() {
  local principals=${1%% *} rest=${1#* } key name names principal
  key=${rest#* } name=${principals%%,*} names=${principals%%,group:*}
  [[ ! ${signer_key_line[$key]-} ]] || { bad_reason="the key stands in line ${signer_key_line[$key]} already" && return 1; }
  signer_key_line[$key]=$bad_line signer_lines[$name]+="$name $rest"$'\n'
  if [[ ${signer_principals[$name]-} ]]; then
    [[ ${signer_principals[$name]} == "$principals" ]] || { bad_reason="the principals of $name differ from before" && return 1; }
    return
  fi
  for principal in ${names//,/ }; do
    [[ ! ${signer_of[$principal]-} ]] || { bad_reason="$principal belongs to ${signer_of[$principal]} already" && return 1; }
    signer_of[$principal]=$name
  done
  signer_names+=("$name")
  signer_principals[$name]=$principals
  principals=${principals#"$names"}
  signer_groups[$name]="${principals//,group:/ } "
}

# is_signer_line LINE: whether a line that is no comment is good by itself.
is_signer_line() {
  local rest=${1#* } key
  key=${rest#* }
  bad_reason='not PRINCIPALS OPTIONS TYPE BASE64 with single spaces'
  [[ $1 == *' '*' '*' '* && $key == [!\ ]*' '[!\ ]* && $key != *' '*' '* ]] || return 1
  is_signers_options "${rest%% *}" && are_principals "${1%% *}" || return 1
  bad_reason='the key is not a canonical key of a type and size that may sign'
  ((${#key} <= 8192)) || return 1
  load_key_checks
  is_key "${key% *}" "${key#* }"
}

# Whether a text is the options that a door takes.
is_signers_options() {
  local rest=${1#'namespaces="decision@countersign"'} after='' before=''
  bad_reason='the options are not namespaces="decision@countersign"[,valid-after="T"][,valid-before="T"]'
  [[ $rest != "$1" ]] || return 1
  if [[ $rest == ',valid-after="'*'"'* ]]; then
    after=${rest#',valid-after="'} rest=${after#*'"'} after=${after%%'"'*}
    is_signers_time "$after" || return 1
  fi
  if [[ $rest == ',valid-before="'*'"' ]]; then
    before=${rest#',valid-before="'} rest=${before#*'"'} before=${before%%'"'*}
    is_signers_time "$before" || return 1
  fi
  [[ ! $rest ]] || return 1
  bad_reason='valid-before is not later than valid-after'
  [[ ! $after || ! $before || $before > $after ]]
}

# Reads the modules that only keys need which have not been seen before, below `here` of the script.
load_key_checks() {
  declare -F is_key >/dev/null && return
  # shellcheck source=/dev/null
  . "$here/door/keys.sh" && . "$here/door/ed25519.sh" ||
    shut no-module 'the checks of keys cannot be read'
}

# Whether a text is principals: names first, then groups, none twice.
are_principals() {
  local rest=$1, seen=, principal kinds=''
  bad_reason='a principal is not a literal name, stands twice, or is a name after a group'
  while [[ $rest ]]; do
    principal=${rest%%,*} rest=${rest#*,}
    [[ $seen != *",$principal,"* ]] || return 1
    seen+=$principal,
    if [[ $principal == group:* ]]; then
      [[ ${principal:6} && $principal != *[!a-z0-9._@:+-]* ]] && ((${#principal} <= 128)) || return 1
      kinds+=g
    else
      is_name "$principal" || return 1
      kinds+=n
    fi
  done
  [[ $kinds == n* && $kinds != *gn* ]]
}

# YYYYMMDDHHMMSSZ, from the year 2000 on: ssh-keygen takes some earlier times for none at all.
is_signers_time() {
  local epoch
  bad_reason='a time is not a date of the calendar in the form YYYYMMDDHHMMSSZ'
  [[ $1 == 2*Z && ${1%Z} != *[!0-9]* ]] && ((${#1} == 15)) &&
    is_calendar_time "${1:0:4}" "${1:4:2}" "${1:6:2}" "${1:8:2}" "${1:10:2}" "${1:12:2}"
}
