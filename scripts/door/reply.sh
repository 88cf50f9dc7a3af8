# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# The text/plain reply of a broker. Every byte of it is hostile: at most 64 KiB of printable ASCII and LF, a head of seven
# lines, a blank line, then receipts; anything else is no reply.

# What the last reply said; `-` for nothing.
reply_state='' reply_id=- reply_watch=- reply_code=- reply_answer_by=- reply_hint=-

reply_states=' pending approved denied expired lapsed cancelled revoked spent error '

# parse_reply FILE
parse_reply() {
  local text='' head
  local -a lines=()
  reply_state='' reply_id=- reply_watch=- reply_code=- reply_answer_by=- reply_hint=-
  read_lines "$1" && ((${#text} <= 65536)) || return 1
  # The line after the head is blank, also where no receipt follows.
  ((${#lines[@]} >= 7)) && [[ ! ${lines[6]} ]] || return 1
  head=${lines[0]}
  [[ $head == 'countersign/1 '*' '* ]] || return 1
  reply_state=${head#* } reply_id=${head##* }
  reply_state=${reply_state%" $reply_id"}
  [[ $reply_state != *' '* && $reply_states == *" $reply_state "* ]] || return 1
  [[ $reply_id == - ]] || is_request_id "$reply_id" || return 1
  [[ ${lines[1]} == 'watch: '* && ${lines[2]} == 'code: '* && ${lines[5]} == 'hint: '?* ]] || return 1
  reply_watch=${lines[1]#watch: } reply_code=${lines[2]#code: } reply_hint=${lines[5]#hint: }
  [[ $reply_watch == - ]] || is_bearer_token "$reply_watch" || return 1
  [[ $reply_code && $reply_code != *[!a-z-]* ]] && ((${#reply_code} <= 64)) || return 1
  is_time_line answer-by "${lines[3]}" && is_time_line claim-by "${lines[4]}" || return 1
  reply_answer_by=${lines[3]#answer-by: }
  parse_receipts "${lines[@]:7}"
}

# is_time_line NAME LINE
is_time_line() {
  local epoch
  [[ $2 == "$1: -" ]] || { [[ $2 == "$1: "* ]] && parse_time "${2#*: }"; }
}
