# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Calls to the broker. curl gets everything on its standard input, so that no secret stands in a list of processes, and
# nothing from an rc file or the environment. The reply goes to a private file that cannot grow.

# What the last call came to: `reply` (parsed, see reply.sh), `malformed`, `broken` (no reply: down, cut off, timed out;
# `call_failure` says how), or `gone` (the client went away meanwhile).
call_result='' call_failure=''

# The longest reply, in bytes.
reply_limit=65536
# After how many seconds without a reply to look whether the client is still there.
look_every=1

# The pipes to and from curl, and its process.
curl_input='' curl_output='' curl_process=''

# start_curl: begins the next call early, because curl takes longer to start than to talk.
start_curl() {
  # A reply of at most a little more than the limit, and 1 GiB of memory whatever the headers are.
  coproc CURL {
    ulimit -v 1048576
    ulimit -f $((reply_limit / 1024 + 1)) && exec curl -q -K -
  }
  curl_process=$CURL_PID
  # Moved, because bash closes the array's own ends as soon as curl is over.
  exec {curl_input}>&"${CURL[1]}"- {curl_output}<&"${CURL[0]}"- || shut no-descriptor 'too few files may be open to call the broker'
}

# stop_curl: ends a call that is under way.
stop_curl() {
  [[ $curl_process ]] || return 0
  kill -KILL "$curl_process"
  [[ ! $curl_input ]] || exec {curl_input}>&-
  exec {curl_output}<&-
  curl_input='' curl_process=''
}

# call METHOD PATH TOKEN BODY-FILE SECONDS WAIT: TOKEN, BODY-FILE and WAIT may be empty. WAIT is for how many seconds the broker
# may hold the reply back, SECONDS after how many curl gives up.
call() {
  local options line=''
  local -i status
  [[ $curl_process ]] || start_curl
  printf -v options '%s\n' "request = \"$1\"" "url = \"$broker_url$2\"" "max-time = $5" "output = \"$run.reply\"" \
    'write-out = "%{http_code}\n"' 'header = "Accept: text/plain"' 'connect-timeout = 3' "max-filesize = $reply_limit" \
    'proto = "=http,https"' 'noproxy = "*"' 'http1.1' 'globoff' 'silent'
  [[ ! $3 ]] || options+="header = \"Authorization: Bearer $3\""$'\n'
  [[ ! $4 ]] || options+="header = \"Content-Type: application/json\""$'\n'"data-binary = \"@$4\""$'\n'
  [[ ! $6 ]] || options+="header = \"Prefer: wait=$6\""$'\n'
  [[ ! $broker_socket ]] || options+="unix-socket = \"$broker_socket\""$'\n'
  [[ ! ${config[ca]} ]] || options+="cacert = \"${config[ca]}\""$'\n'
  call_result=broken call_failure='the state cannot be written'
  # What an earlier call left is no reply to this one.
  : >"$run.reply" || return
  printf '%s' "$options" >&"$curl_input"
  exec {curl_input}>&-
  curl_input=''
  until
    read -r -t "$look_every" -u "$curl_output" line
    (($? <= 128))
  do
    show
    client_is_gone || continue
    stop_curl
    call_result=gone
    return
  done
  exec {curl_output}<&-
  wait "$curl_process"
  status=$?
  curl_process=''
  case $status in
    0)
      if parse_reply "$run.reply"; then
        call_result=reply
      elif [[ $line == 50[234] ]]; then
        call_failure="a gateway answers with HTTP $line"
      else
        call_result=malformed
      fi
      ;;
    6) call_failure='its name cannot be resolved' ;;
    7) call_failure='it cannot be connected to' ;;
    28) call_failure='it does not answer in time' ;;
    35 | 58 | 60 | 77 | 90 | 91) call_failure="TLS fails (curl $status)" ;;
    # Too large, or stopped by the limit of the file.
    23 | 63 | 153) call_result=malformed ;;
    *) call_failure="the connection breaks (curl $status)" ;;
  esac
}
