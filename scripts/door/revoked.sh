# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Keys that this machine takes for stolen, in a file of its own: what they sign counts for nothing here, whatever signers file
# and broker say. Lines of `TYPE BASE64 [COMMENT]` or `SHA256:…`; comments begin with `#`. One bad line keeps the door shut.
# The TypeScript parser takes exactly the same files (test/door/revoked-keys.test.ts).

# By fingerprint.
declare -gA revoked_keys=()

# load_revoked_keys FILE
load_revoked_keys() {
  local text='' line keys=''
  local -a lines=() said=()
  local -i number=0 count=0
  revoked_keys=()
  [[ -f $1 && -r $1 ]] || shut bad-revoked-keys "the file of revoked keys cannot be read"
  [[ -s $1 ]] || return 0
  read_lines "$1" || shut bad-revoked-keys 'the file of revoked keys is not lines of printable ASCII that end with LF'
  for line in "${lines[@]}"; do
    ((number += 1))
    case $line in
      '#'*) ;;
      SHA256:*)
        is_fingerprint "$line" || shut bad-revoked-keys "revoked keys line $number: not a whole fingerprint"
        revoked_keys[$line]=yes
        ;;
      *)
        is_public_key_line "$line" || shut bad-revoked-keys "revoked keys line $number: not TYPE BASE64 [COMMENT] or SHA256:..."
        read -r line text _ <<<"$line"
        keys+="$line $text"$'\n' count+=1
        ;;
    esac
  done
  ((count)) || return 0
  mapfile -t said < <(exec ssh-keygen -l -f - <<<"${keys%$'\n'}")
  ((${#said[@]} == count)) || shut bad-revoked-keys 'ssh-keygen does not know a key of the file of revoked keys'
  for line in "${said[@]}"; do
    read -r _ line _ <<<"$line"
    is_fingerprint "$line" || shut bad-revoked-keys 'ssh-keygen does not know a key of the file of revoked keys'
    revoked_keys[$line]=yes
  done
}

# is_public_key_line LINE: whether it is a line of a public key file, with a key that may sign.
is_public_key_line() {
  local type=${1%% *} base64=${1#* }
  base64=${base64%% *}
  ((${#1} <= 8192)) && [[ $1 == "$type $base64" || $1 == "$type $base64 "* ]] || return 1
  load_key_checks
  is_key "$type" "$base64"
}

# is_revoked FINGERPRINT
is_revoked() {
  [[ ${revoked_keys[$1]-} ]]
}
