# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# The forms of values, as the protocol writes them. Each test takes the whole value; in LC_ALL=C a range is a range of bytes.
# Globs and lengths instead of regular expressions where they do: they are ten times as fast.

# A person, door, submitter or requester; only principals of groups begin with `group:`.
is_name() {
  [[ $1 && $1 != *[!a-z0-9._@:+-]* && $1 != group:* ]] && ((${#1} <= 128))
}

is_digest() {
  [[ $1 == sha256:* && ${1:7} != *[!0-9a-f]* ]] && ((${#1} == 71))
}

# 128 bits: a nonce or a claim.
is_hex128() {
  [[ $1 != *[!0-9a-f]* ]] && ((${#1} == 32))
}

# As ssh-keygen -l prints it; the last character holds four bits only.
is_fingerprint() {
  [[ $1 == SHA256:*[AEIMQUYcgkosw048] && ${1:7} != *[!A-Za-z0-9+/]* ]] && ((${#1} == 50))
}

# A ULID.
is_request_id() {
  [[ $1 == [0-7]* && $1 != *[!0-9A-HJKMNP-TV-Z]* ]] && ((${#1} == 26))
}

is_bearer_token() {
  [[ $1 != *[!A-Za-z0-9_-]* ]] && ((${#1} == 43))
}

# A whole number 0…999999999 without leading zeros, so that it may stand in arithmetic.
is_count() {
  [[ $1 == 0 || ($1 == [1-9]* && $1 != *[!0-9]*) ]] && ((${#1} <= 9))
}

# is_calendar_time YYYY MM DD HH MM SS (digits only): whether that second exists, and `epoch` is it.
is_calendar_time() {
  local -i year=10#$1 month=10#$2 day=10#$3 hour=10#$4 minute=10#$5 second=10#$6
  local -i days=31
  ((month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59 && second <= 59)) || return 1
  case $month in
    4 | 6 | 9 | 11) days=30 ;;
    2) ((days = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28)) ;;
  esac
  ((day <= days)) || return 1
  # Days since 1970-01-01, with years that begin in March, 400 years later so that no division meets a negative number.
  ((year += month <= 2 ? 399 : 400, month += month <= 2 ? 9 : -3))
  ((days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 865565))
  ((epoch = days * 86400 + hour * 3600 + minute * 60 + second, 1))
}

# parse_time TEXT: sets `epoch` to the second that YYYY-MM-DDTHH:MM:SSZ names.
parse_time() {
  [[ $1 == [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]Z ]] &&
    is_calendar_time "${1:0:4}" "${1:5:2}" "${1:8:2}" "${1:11:2}" "${1:14:2}" "${1:17:2}"
}

# read_lines FILE: sets the caller's `text` and `lines`; fails unless the file is lines of printable ASCII, each ended by LF. The
# lines come from the file once more, because a shell reads a here-string byte by byte.
read_lines() {
  # A NUL ends the reading with success; a file without one, at its end, does not.
  IFS= read -r -d '' text <"$1" && return 1
  [[ $text == *$'\n' && $text != *[!$'\n'\ -~]* ]] && mapfile -t lines <"$1"
}

# random_hex128 NAME: sets the variable NAME to 128 random bits of the kernel. A version 4 UUID has 24 hex digits in which
# every bit is random; two of them have enough.
random_hex128() {
  local one='' two='' form='????????-????-4???-[89ab]???-????????????'
  read -r one </proc/sys/kernel/random/uuid && read -r two </proc/sys/kernel/random/uuid
  # shellcheck disable=SC2053 # a pattern is meant
  [[ $one == $form && $two == $form && $one$two != *[!0-9a-f-]* && $one != "$two" ]] ||
    shut no-randomness 'the kernel gives no random bits'
  printf -v "$1" '%s' "${one:0:8}${one:9:4}${one:24:12}${two:0:8}"
}

# random_digits NAME: sets the variable NAME to six random digits, each text of them equally likely: of 2^20 values those above
# 999999 are drawn again.
random_digits() {
  local bits=''
  local -i at value
  while :; do
    random_hex128 bits
    for ((at = 0; at < 30; at += 5)); do
      ((value = 16#${bits:at:5}, value < 1000000)) || continue
      printf -v "$1" '%06d' "$value"
      return
    done
  done
}

# Six digits, as a number to match is written.
is_six_digits() {
  [[ $1 == [0-9][0-9][0-9][0-9][0-9][0-9] ]]
}

# uptime_now: sets `uptime` to hundredths of seconds since boot: waiting must not follow a clock that somebody sets.
uptime_now() {
  local seconds=''
  read -r seconds _ </proc/uptime
  [[ $seconds =~ ^([0-9]{1,12})\.([0-9]{2})$ ]] || shut no-clock 'cannot read /proc/uptime'
  ((uptime = 10#${BASH_REMATCH[1]} * 100 + 10#${BASH_REMATCH[2]}, 1))
}
