# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# What a job shows while it waits, on standard error: on a terminal one line that is drawn again, in a log one line a change and
# at most one a minute. Every line begins with our name, so that no log takes it for a command.

# The job's standard error. Ours goes nowhere, because programs repeat there what the broker sent.
terminal=2
# Whether a line stands there that will be drawn again.
drawn=no
# What was said last: the id, what is in the way, and who is looking; when, in hundredths of seconds since boot.
said_id='' said_trouble='' said_attention='' said_at=0

# say TEXT: a line of its own, in the place of the one that is drawn again.
say() {
  [[ $drawn == no ]] || printf '\r\033[K' >&"$terminal"
  drawn=no
  printf 'countersign: %s\n' "$1" >&"$terminal"
}

# show: how things stand; called about once a second.
show() {
  local uptime left looking
  uptime_now
  if [[ $answer == again && $said_trouble != "$call_failure" ]]; then
    said_trouble=$call_failure said_at=$uptime
    say "the broker cannot be reached: $call_failure; trying again"
  fi
  [[ $answer == pending && $request_id != - ]] || return 0
  said_trouble=''
  if [[ $said_id != "$request_id" ]]; then
    said_id=$request_id said_at=$uptime
    say "waiting for an approval of $ci_action on ${config[resource]}, asked for $ci_requester; an approver can sign with:"
    say "  countersign approve $request_id --url $approver_url"
    ! asks_number || say "tell the approver this number: ${ask_number:0:3} ${ask_number:3}"
  fi
  looking=$(attention)
  if [[ $looking != "$said_attention" ]]; then
    said_attention=$looking
    [[ ! $looking ]] || say "${looking#; }"
  fi
  time_left
  if [[ -t $terminal ]]; then
    printf '\r\033[Kcountersign: waiting for an approval, %s left' "$left" >&"$terminal"
    drawn=yes
  elif ((uptime - said_at >= 6000)); then
    said_at=$uptime
    say "waiting for an approval, $left left"
  fi
}

# Sets `left` to the time until the wait or the request ends, whatever comes first.
time_left() {
  local -i seconds=$(((deadline - uptime) / 100))
  local epoch
  if parse_time "$reply_answer_by"; then
    ((epoch - EPOCHSECONDS >= seconds)) || ((seconds = epoch - EPOCHSECONDS, 1))
  fi
  ((seconds > 0)) || seconds=0
  left="$((seconds / 60))m $((seconds % 60))s"
}

# No client can go away: a job that is cancelled gets a signal.
client_is_gone() {
  return 1
}
