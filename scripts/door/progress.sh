# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# What the user of a gate sees while it waits: plain lines, and on a terminal one more that is drawn again each second. Nothing
# of the broker is shown but an id that has been parsed; the words are all from here.

# Whether a line stands on `terminal`, the user's standard error, that will be drawn again.
drawn=no
# What has been said already; when the wait began, in hundredths of seconds since boot.
said_id='' said_trouble='' said_attention='' waiting_since=''

# say TEXT: a line of its own, in the place of the one that is drawn again.
say() {
  clear_drawn
  printf 'countersign: %s\n' "$1" >&"$terminal"
}

clear_drawn() {
  [[ $drawn == no ]] || printf '\r\033[K' >&"$terminal"
  drawn=no
}

# tell_user LINE: as it stands, to be copied.
tell_user() {
  clear_drawn
  printf '%s\n' "$1" >&"$terminal"
}

# show: how things stand.
show() {
  local uptime looking
  [[ $watching == yes ]] || return 0
  uptime_now
  if [[ $request_id != - && $request_id != "$said_id" && $answer == pending ]]; then
    said_id=$request_id waiting_since=$uptime
    say "this needs somebody's approval, who runs: countersign approve $request_id"
    ! asks_number || say "tell the approver this number: ${ask_number:0:3} ${ask_number:3}"
  fi
  if [[ $answer == again && $said_trouble != "$call_failure" ]]; then
    said_trouble=$call_failure
    say "the broker cannot be reached: $call_failure; trying again"
  fi
  [[ $answer == pending ]] || return 0
  looking=$(attention)
  if [[ $looking != "$said_attention" ]]; then
    said_attention=$looking
    [[ ! $looking ]] || say "${looking#; }"
  fi
  [[ ! $waiting_since || ! -t $terminal ]] || {
    printf '\r\033[Kcountersign: waiting %d s (Ctrl-C leaves; the same command takes it up again)' \
      $(((uptime - waiting_since) / 100)) >&"$terminal"
    drawn=yes
  }
}
