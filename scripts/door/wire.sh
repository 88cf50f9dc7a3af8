# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Base64, and the wire data of SSH (RFC 4251), which keys and signatures are made of.

# What is left of SSH wire data (RFC 4251) in hex, and the field that was read last.
wire='' field=''

# Takes a string (uint32 length, then bytes) from `wire` into `field`.
take_string() {
  local -i length
  ((${#wire} >= 8)) || return 1
  length=16#${wire:0:8}
  ((2 * length <= ${#wire} - 8)) || return 1
  field=${wire:8:2*length} wire=${wire:8+2*length}
}

# decode_base64 TEXT: sets `wire` to the bytes in hex; fails unless TEXT is canonical base64.
decode_base64() {
  is_canonical_base64 "$1" || return 1
  wire=$(base64 -d <<<"$1" | od -An -v -tx1) || return 1
  wire=${wire//[$' \n']/}
  [[ $wire && $wire != *[!0-9a-f]* ]]
}

# Full groups of four, padding at the end only, and no bits set that nobody reads.
is_canonical_base64() {
  local body=${1%%=*}
  ((${#1} % 4 == 0 && ${#1} > 0)) || return 1
  [[ $body != *[!A-Za-z0-9+/]* ]] || return 1
  case ${1:${#body}} in
    '') ;;
    =) [[ $body == *[AEIMQUYcgkosw048] ]] ;;
    ==) [[ $body == *[AQgw] ]] ;;
    *) return 1 ;;
  esac
}
