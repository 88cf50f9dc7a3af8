# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Public keys: whether the base64 of a signers file is a key of its type that may sign, by the rules of the TypeScript
# parser. ssh-keygen lets in keys with which anybody can sign (points of small order, an RSA exponent of 1), and off-curve
# points that TypeScript refuses; both must refuse the same files.
# The checks are slow in a shell, so keys that passed are kept in the state and looked up there first.

# Takes a string that must be this text.
take_text() {
  local hex='' index code
  for ((index = 0; index < ${#1}; index++)); do
    printf -v code '%02x' "'${1:index:1}"
    hex+=$code
  done
  take_string && [[ $field == "$hex" ]]
}

# Takes a positive number in its shortest form; `field` is its magnitude without leading zeros.
take_number() {
  take_string && [[ $field ]] && ((16#${field:0:2} < 0x80)) || return 1
  [[ $field == 00* ]] || return 0
  ((${#field} >= 4 && 16#${field:2:2} >= 0x80)) && field=${field:2}
}

# The application of a security key: at most 256 bytes of printable ASCII.
take_application() {
  take_string && [[ $field =~ ^([2-6][0-9a-f]|7[0-9a-e])*$ ]] && ((${#field} <= 512))
}

# is_key TYPE BASE64
is_key() {
  local type=$1 curve points='' modulus
  decode_base64 "$2" && take_text "$type" || return 1
  case $type in
    ssh-ed25519)
      take_string && is_sound_ed25519_point "$field"
      ;;
    sk-ssh-ed25519@openssh.com)
      take_string && is_sound_ed25519_point "$field" && take_application
      ;;
    ecdsa-sha2-nistp256 | ecdsa-sha2-nistp384 | ecdsa-sha2-nistp521 | sk-ecdsa-sha2-nistp256@openssh.com)
      curve=${type%@openssh.com} curve=${curve##*-}
      case $curve in
        nistp256) points=130 ;;
        nistp384) points=194 ;;
        nistp521) points=266 ;;
      esac
      take_text "$curve" && take_string && [[ $field == 04* ]] && ((${#field} == points)) || return 1
      [[ $type != sk-* ]] || take_application || return 1
      # Whether the point is on the curve, ssh-keygen knows.
      ssh-keygen -l -f - <<<"$type $2" >/dev/null
      ;;
    ssh-rsa)
      take_number && ((${#field} <= 8 && 16#$field > 1 && 16#$field % 2 == 1)) || return 1
      take_number && modulus=$field && is_rsa_size "$modulus" && [[ $modulus == *[13579bdf] ]]
      ;;
    *) return 1 ;;
  esac && [[ ! $wire ]]
}

# From 2,048 to 16,384 bits.
is_rsa_size() {
  local -i first bits
  ((first = 16#${1:0:2}, bits = 4 * ${#1} - 8, 1))
  while ((first)); do ((bits += 1, first >>= 1)); done
  ((bits >= 2048 && bits <= 16384))
}
