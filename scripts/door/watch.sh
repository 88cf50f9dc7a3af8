# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Whether somebody still waits for this run. When the client of a login goes away, nothing tells the hook: either its parent
# is gone, so that it has another parent now, or the parent lives on with a connection that the peer has closed.

# The ports of the client's connection as /proc/net/tcp writes them, empty if there is none to watch.
local_port='' remote_port=''
# In hundredths of seconds since boot, the earliest time of the next look.
next_look=0
# `no` while nobody is waited for: a report is sent all the same.
watching=no

# watch_connection TEXT: TEXT is SSH_CONNECTION, which sshd gives to PAM: `ADDRESS PORT ADDRESS PORT` with the client first.
# Ports are enough: at worst, another connection with both of them hides the end of this one.
watch_connection() {
  watching=yes
  [[ $1 =~ ^[0-9A-Fa-f]*[.:][^\ ]*\ ([0-9]{1,5})\ [^\ ]+\ ([0-9]{1,5})$ ]] || return 0
  printf -v remote_port '%04X' "$((10#${BASH_REMATCH[1]}))"
  printf -v local_port '%04X' "$((10#${BASH_REMATCH[2]}))"
}

# client_is_gone: looks once a second, and less often where the table of connections is so long that it takes time.
client_is_gone() {
  local stat='' uptime start parent connected=no
  [[ $watching == yes ]] || return 1
  read -r stat <"/proc/$$/stat"
  # After the name in parentheses: state, parent.
  read -r _ parent _ <<<"${stat##*) }"
  [[ $parent == "$PPID" ]] || return 0
  [[ $remote_port ]] || return 1
  uptime_now
  ((uptime >= next_look)) || return 1
  start=$uptime
  ! is_connected || connected=yes
  uptime_now
  ((next_look = uptime + 50 + 20 * (uptime - start), 1))
  [[ $connected == no ]]
}

# Whether the connection is established (state 01).
is_connected() {
  local table='' file
  for file in tcp tcp6; do
    # At once: line by line, the kernel would begin anew for each line.
    [[ -r /proc/$PPID/net/$file ]] && IFS= read -r -d '' table <"/proc/$PPID/net/$file"
    [[ ! $table =~ :$local_port\ [0-9A-F]+:$remote_port\ 01\  ]] || return 0
  done
  return 1
}

# show: tells whoever waits how things stand, about once a second. The hook has nothing on which to show it.
show() {
  :
}
