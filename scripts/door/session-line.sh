# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# The line of PAM by which sessions are watched: for the hook, its checks, and its installation.

# is_session_line LINE: of the configuration that a check or an installation looks at, else of the one of this run.
is_session_line() {
  local -a words=()
  read -r -a words <<<"$1"
  [[ ${words[0]-} == session && ${words[1]-} == optional && ${words[2]-} =~ ^(/.*/)?pam_exec\.so$ && " ${words[*]} " == *' seteuid '* ]] &&
    [[ "${words[*]}" == *" $here/countersign-pam session" ||
      "${words[*]}" == *" $here/countersign-pam session --config ${check_config-$config_file}" ]]
}

# has_session_line FILE
has_session_line() {
  local line
  while IFS= read -r line || [[ $line ]]; do
    ! is_session_line "$line" || return 0
  done <"$1"
  return 1
}
