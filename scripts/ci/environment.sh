# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Read first of all. The environment is the job's own: programs are found and called as the job would. What bash takes from
# it, and what could stand where a module expects a variable of its own, is put away until the protected command runs.

# The environment as the job gave it: `NAME=VALUE`.
job_environment=()
mapfile -d '' -t job_environment <"/proc/$$/environ"

for inherited in "${!a@}" "${!b@}" "${!c@}" "${!d@}" "${!e@}" "${!f@}" "${!g@}" "${!h@}" "${!i@}" "${!j@}" "${!k@}" "${!l@}" "${!m@}" \
  "${!n@}" "${!o@}" "${!p@}" "${!q@}" "${!r@}" "${!s@}" "${!t@}" "${!u@}" "${!v@}" "${!w@}" "${!x@}" "${!y@}" "${!z@}"; do
  # curl reads these, and only in small letters.
  [[ $inherited == *_proxy || ${!inherited@a} != *x* ]] || unset -v "$inherited"
done
unset -v BASH_COMPAT CDPATH CURL_HOME ENV FUNCNEST GLOBIGNORE POSIXLY_CORRECT TMOUT
set -u +o posix
shopt -s nullglob
shopt -u patsub_replacement 2>/dev/null
export LC_ALL=C TZ=UTC0
job_umask=$(umask)
umask 077

# run_command PATH WORD…: becomes the program with these words, the first of which it takes for its name, in the environment of
# the job without our secrets. Fails if it cannot be started.
run_command() {
  local countersign_name countersign_entry
  trap - HUP INT TERM PIPE
  umask "$job_umask"
  exec 2>&"$terminal" {terminal}>&-
  terminal=2
  shopt -s execfail
  unset -v LC_ALL TZ
  # Where the job exports its own, bash would hand ours to the command.
  export -n SHELLOPTS BASHOPTS
  for countersign_entry in "${job_environment[@]}"; do
    countersign_name=${countersign_entry%%=*}
    # Written out: a variable could be one of the job's by now.
    [[ $countersign_name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && $countersign_name != COUNTERSIGN_@(OIDC_|)TOKEN ]] || continue
    # Those that bash does not let anybody set.
    [[ -v $countersign_name && ${!countersign_name@a} == *r* ]] || export "${countersign_entry?}"
  done
  exec -a "$2" -- "$1" "${@:3}"
}
