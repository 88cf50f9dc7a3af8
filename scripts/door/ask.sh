# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# One ask from the first call to its end: submit, wait, verify, spend.

# What the broker said last: a state of a request, `error`, or `again` where the same must be tried once more.
answer=''
# Whether the broker has ever replied; how often it was tried before that.
reached=no tries=0
# Whether this run has waited for the ask that it holds, so that its end is the result of the run; whether the ask that it
# found was over, so that it made a new one, which happens once a run.
waited=no renewed=no
# In hundredths of seconds since boot: the end of the wait, and of the tries to reach the broker at all.
deadline=0 first_deadline=0
# The pause before the next try, in hundredths of seconds.
pause=25

# What to do after a wait that was too short.
again_by='log in again'

# How this run was let in: `approved`, or by a way that is logged louder.
admitted=approved log_priority=notice
# `watched` where the session that follows is.
declare -gA admitted_by=([approved]='approved by' [watched]='approved by' [offline]='approved offline by' [alone]='opened alone by')

# Errors that pass with time.
passing_errors=' draining rate-limited too-many-pending too-many-connections storage-failed broker-locked '

# prepare_ask: everything that needs nobody else, so that it runs while something else is done.
prepare_ask() {
  take_ask
  # A run that was killed between use and end has left its ask.
  find_spent "$request" && renew_ask
  prepare_submit
}

# ask SECONDS: returns once enough people have approved and the use is on the disk. Ends the run otherwise. For a prepared ask.
ask() {
  local uptime
  uptime_now
  ((deadline = uptime + 100 * $1, first_deadline = uptime + 500))
  send
  while :; do
    case $answer in
      approved)
        admit && return
        # Nobody is asked twice for what came too late: then a clock is wrong.
        { [[ $over_code != too-late || $waited == no ]] && ask_anew; } || end 1 "$over_code" "$over_text"
        # The broker's count of the time of a grant can end up to a second after this one, which is of whole seconds.
        [[ $over_code == spent ]] || sleep 1
        send
        ;;
      pending) waited=yes && await ;;
      again)
        if hold; then
          send
        else
          admit_offline && return
        fi
        ;;
      error) shut "$reply_code" "the broker refuses: $reply_code" ;;
      *)
        remember_no
        if [[ $waited == no ]] && ask_anew; then send; else finish; fi
        ;;
    esac
  done
}

# ask_once SECONDS: what `ask` would have come to at once.
ask_once() {
  submit "$1"
  read_answer
  case $answer in
    approved) admit || { drop_ask && end 1 "$over_code" "$over_text"; } ;;
    pending) end 3 pending 'nobody has answered yet' ;;
    again) shut unreachable "the broker cannot be reached: $call_failure" ;;
    error) shut "$reply_code" "the broker refuses: $reply_code" ;;
    *) finish ;;
  esac
}

# Takes a new ask for one that was over, once a run.
ask_anew() {
  [[ $renewed == no ]] || return 1
  [[ $claimed == no ]] || report refused "$over_code" 2
  renewed=yes waited=no claimed=no
  renew_ask
}

send() {
  local uptime left
  uptime_now
  if [[ $reached == no ]]; then
    ((tries += 1, left = first_deadline - uptime))
  else
    ((left = deadline - uptime, left > 500)) && left=500
  fi
  submit $((left > 100 ? left / 100 : 1))
  read_answer
  show
}

# Waits for a decision, for as long as one call may take.
await() {
  local uptime
  local -i left start
  uptime_now
  ((start = uptime, left = deadline - uptime, 1))
  ((left >= 50)) || end 3 waiting "still waiting, $again_by: an approval given meanwhile counts then$(attention)"
  redeem $((left >= 2500 ? 25 : (left + 99) / 100))
  read_answer
  # The watch token is unknown to a broker that has restarted, or that has ended it.
  [[ $answer != error || $reply_code != unauthenticated ]] || answer=again
  [[ $answer == again ]] || pause=25
  # A broker that does not hold the reply back is not asked in a loop.
  uptime_now
  [[ $answer != pending ]] || ((uptime - start >= 100)) || sleep 1
}

# Prints who is looking at the ask by the last reply, to go on with a sentence: of the broker's bytes only two words are known.
attention() {
  case $reply_code in
    unattended) printf '; nobody who could approve has a console open: tell an approver' ;;
    notified) printf '; nobody who could approve has a console open, somebody is being notified' ;;
  esac
}

# Sets `answer` to what the last call came to.
read_answer() {
  case $call_result in
    gone) leave_unwatched ;;
    broken) answer=again ;;
    malformed) shut bad-reply 'the reply of the broker is malformed' ;;
    reply)
      reached=yes answer=$reply_state
      if [[ $answer == error && $passing_errors == *" $reply_code "* ]]; then
        answer=again call_failure="it says $reply_code"
      fi
      ;;
  esac
}

# Pauses before another try. If there is no time for one, ends the run, or fails where approvals without the broker count,
# which is only if it has never been reached.
hold() {
  local uptime seconds
  uptime_now
  if [[ $reached == no ]]; then
    if ((tries >= 3 || uptime + 200 > first_deadline)); then
      [[ ! ${config[offline]} ]] || return 1
      shut unreachable "the broker cannot be reached: $call_failure"
    fi
    sleep 1
  else
    ((uptime + pause + 100 <= deadline)) || shut unreachable "the broker can no longer be reached: $call_failure"
    printf -v seconds '%d.%02d' $((pause / 100)) $((pause % 100))
    sleep "$seconds"
    ((pause = pause < 400 ? 2 * pause : 400))
  fi
  show
  ! client_is_gone || leave_unwatched
}

leave_unwatched() {
  watching=no
  detach
  end 4 client-gone 'the client went away'
}

# remember_no: a broker that says no now could hide it later.
remember_no() {
  [[ $answer != denied && $answer != revoked ]] || condemn "$answer" "$request"
}

# The end of a request that is not an approval is the end of its ask.
finish() {
  remember_no
  drop_ask
  case $answer in
    denied) end 2 denied 'denied' ;;
    expired) end 3 expired 'nobody answered in time' ;;
    lapsed) end 3 lapsed 'the approval was not used in time' ;;
    cancelled | revoked) end 4 "$answer" "$answer" ;;
    *) end 1 spent 'the approval was used by another claim' ;;
  esac
}

# Verifies what the broker calls approved and records the use. Fails if that is used up or over.
admit() {
  claimed=yes
  load_signers "${config[signers]}"
  verify_receipts
  quorum_holds "$requester" "${approvers[@]}" || admit_alone || shut no-quorum "not enough: $quorum_missing"
  if [[ $waited == yes ]]; then
    # Nobody is let in, so the approval stays for the next equal ask.
    next_look=0
    ! client_is_gone || { claimed=no && leave_unwatched; }
  fi
  spend && return
  # The run that has used it reports what became of it. Under a grant this ask is one of its own.
  [[ $over_code != spent || ${receipt_request[0]} != "$request" ]] || claimed=no
  return 1
}

# conclude OUTCOME: what is left to do once this run has ended as `opened`, `refused` or `observed`. Nobody waits for it, and
# whatever fails here does not change the end.
conclude() {
  # What was refused once would be refused again; what was observed is over.
  [[ $1 == opened || ($1 == refused && $claimed == no) ]] || drop_ask
  watching=no
  [[ $end_code != killed ]] || detach
  [[ $watch == - || ($claimed == no && $1 != observed) ]] || report "$1" "$end_code" 5
  close_state
}
