# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# The session phase, where `sessions=yes` asks for it: a watcher for each SSH session that was opened by an approval. It waits at
# the broker for a revocation, remembers it, and ends that session. Nothing but an explicit `revoked` ends one.
#
#   sessions/DAY/PID-START           what the account phase hands over: id, watch token, digests; taken once
#   sessions/DAY/PID-START.watcher   the watcher of that session: its pid and start
#
# PID is the sshd of the session, the parent of both phases. START, its start in ticks since boot, tells it from a later process of
# the same number.

# The process of sshd that the session belongs to, and its start.
sshd_pid='' sshd_start=''

# The configuration that the phases were wired with.
config_file=''

# Where the last `read_process` looked: state, parent, session, and start in ticks since boot.
process_state='' process_parent='' process_session='' process_start=''

# read_process PID: fails where there is none.
read_process() {
  local stat=''
  local -a fields=()
  IFS= read -r -d '' stat 2>/dev/null <"/proc/$1/stat" || [[ $stat ]] || return 1
  # The name in parentheses may hold anything.
  read -r -a fields <<<"${stat##*) }"
  process_state=${fields[0]-} process_parent=${fields[1]-} process_session=${fields[3]-} process_start=${fields[19]-}
  [[ $process_start =~ ^[0-9]{1,18}$ && $process_parent =~ ^[0-9]{1,9}$ && $process_session =~ ^[0-9]{1,9}$ ]]
}

# find_sshd: sets the process that both phases have above them. With keyboard-interactive, the account phase is one below it.
find_sshd() {
  local title=''
  sshd_pid=$PPID
  IFS= read -r -d '' title <"/proc/$PPID/cmdline"
  ! [[ $title == sshd*': '*' [pam]' ]] || { read_process "$PPID" && sshd_pid=$process_parent; }
  read_process "$sshd_pid" || return 1
  sshd_start=$process_start
}

# Whether the session is still there, and the number still its own.
session_lives() {
  read_process "$sshd_pid" && [[ $process_start == "$sshd_start" && $process_state != [ZX] ]]
}

# hand_over: leaves for the session phase under what this login was let in.
hand_over() {
  local directory=${config[state]}/sessions/$today
  [[ ${config[sessions]} == yes && ${PAM_SERVICE-} == sshd && $watch != - && $request_id != - ]] || return 0
  find_sshd || shut no-session 'cannot tell which sshd this is'
  mkdir -p -- "$directory" &&
    printf '%s\n' "$request_id" "$watch" "$request" "${receipt_request[0]}" >"$directory/$sshd_pid-$sshd_start" || state_failed
  # Nobody is told of a watcher that will not come.
  [[ $admitted != approved ]] || ! has_session_line /etc/pam.d/sshd || admitted=watched
}

# session_phase: starts the watcher of a session that begins, and ends the one of a session that is over.
session_phase() {
  local path taken=''
  [[ ${config[sessions]} == yes ]] && find_sshd || return 0
  for path in "${config[state]}/sessions"/*/"$sshd_pid-$sshd_start"; do
    # Taken in one step, so that it is taken once.
    random_hex128 taken
    taken=$path.watched-$taken
    [[ $PAM_TYPE != open_session || ! -f $path ]] || { mv -T -- "$path" "$taken" && start_watcher "$taken"; }
  done
  [[ $PAM_TYPE == close_session ]] || return 0
  for path in "${config[state]}/sessions"/*/"$sshd_pid-$sshd_start.watcher"; do
    [[ ! -f $path ]] || stop_watcher "$path"
  done
}

# start_watcher FILE: in a session of its own, with nothing of sshd's.
start_watcher() {
  local descriptor
  for descriptor in /proc/self/fd/*; do
    descriptor=${descriptor##*/}
    ((descriptor < 3 || descriptor == 255)) || exec {descriptor}>&-
  done
  exec env -i setsid -f "$here/countersign-pam" watch "$config_file" "$1" </dev/null >/dev/null 2>&1
}

# stop_watcher FILE: the watcher that FILE names, if that still is one.
stop_watcher() {
  local pid='' start=''
  { read -r pid && read -r start; } <"$1"
  [[ $pid =~ ^[0-9]{1,9}$ ]] && read_process "$pid" && [[ $process_start == "$start" && $process_session == "$pid" ]] &&
    kill -TERM -- "-$pid"
  rm -f -- "$1"
}

# watch_session FILE: what the watcher does.
watch_session() {
  local id='' token='' asked='' granted='' mark
  local -i pause=1 began
  { read -r id && read -r token && read -r asked && read -r granted; } <"$1"
  rm -f -- "$1"
  mark=${1%.watched-*}
  sshd_pid=${mark##*/} sshd_start=${sshd_pid#*-} sshd_pid=${sshd_pid%-*}
  is_request_id "$id" && is_bearer_token "$token" && is_digest "$asked" && is_digest "$granted" && session_lives || return 0
  read_process "$$" && printf '%s\n' "$$" "$process_start" >"$mark.watcher" || return 1
  request_id=$id
  # The broker speaks of what stands here, and of nothing that could open.
  reply_states+='redeemed active '
  look_every=60
  while session_lives; do
    # Private files go by the day.
    ((today == EPOCHSECONDS / day_seconds)) || { close_state && open_state; }
    began=SECONDS
    call GET "/v1/requests/$id/standing" "$token" '' 65 55
    if [[ $call_result == reply && $reply_state == revoked && $reply_id == "$id" ]]; then
      # In a process of its own: a disk that is full keeps nobody in.
      (condemn revoked "$asked" "$granted")
      warn "the approval was revoked: ending the session of sshd $sshd_pid (request $id)"
      end_session
      rm -f -- "$mark.watcher"
      return
    fi
    if [[ $call_result == reply && $reply_state == @(redeemed|active) ]] && ((SECONDS - began >= 2)); then
      pause=1
    else
      # An error, or a broker that does not hold its replies back.
      sleep "$pause"
      ((pause = pause < 60 ? 2 * pause : 60))
    fi
  done
  rm -f -- "$mark.watcher"
}

# end_session: everything that sshd has started for it, then its connection. Whoever is stopped here reaps nobody, so that the numbers
# of what is below him stay what they are while they are looked at; and each is looked at again once it is stopped.
end_session() {
  local pid sshd_session
  local -a below=() leaders=() children=()
  session_lives || return 0
  stop_process "$sshd_pid"
  session_lives || { kill -CONT -- "$sshd_pid" && return 0; }
  sshd_session=$process_session
  children_of "$sshd_pid"
  for pid in "${children[@]}"; do
    read_process "$pid" && [[ $process_parent == "$sshd_pid" ]] || continue
    # The half of sshd that runs as the user is in the session of its parent; what it runs has sessions of its own.
    if [[ $process_session == "$sshd_session" ]]; then
      stop_process "$pid"
      below+=("$pid")
    else
      leaders+=("$pid")
    fi
  done
  for pid in "${below[@]}"; do
    children_of "$pid"
    leaders+=("${children[@]}")
  done
  signal_sessions HUP "${leaders[@]}"
  sleep 1
  signal_sessions KILL "${leaders[@]}"
  for pid in "${below[@]}"; do kill -TERM -- "$pid" && kill -CONT -- "$pid"; done
  # Where there is no such half (root), it is this one; else it closes the session when that is gone.
  ((${#below[@]})) || kill -TERM -- "$sshd_pid"
  kill -CONT -- "$sshd_pid"
}

# stop_process PID: returns once it has stopped, or a second later.
stop_process() {
  local -i tries
  kill -STOP -- "$1"
  for ((tries = 0; tries < 20; tries++)); do
    read_process "$1" && [[ $process_state != [tT] ]] || return 0
    sleep 0.05
  done
}

# children_of PID: sets `children`.
children_of() {
  local path
  children=()
  for path in /proc/[1-9]*; do
    ! read_process "${path##*/}" || [[ $process_parent != "$1" ]] || children+=("${path##*/}")
  done
}

# signal_sessions SIGNAL LEADER…: every process in a session that one of them leads.
signal_sessions() {
  local signal=$1 path leaders
  shift
  leaders=" $* "
  for path in /proc/[1-9]*; do
    ! read_process "${path##*/}" || [[ $leaders != *" $process_session "* ]] || kill "-$signal" -- "${path##*/}"
  done
}
