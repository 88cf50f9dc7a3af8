# shellcheck shell=bash
# Read first of all. What bash took from the environment is unset, whatever it is called: it could stand where a script
# expects its own variable, change bash itself (TMOUT, FUNCNEST, BASH_COMPAT, POSIXLY_CORRECT), or change the programs that
# run from here. Only what PAM says stays, as plain variables.
for inherited in "${!A@}" "${!B@}" "${!C@}" "${!D@}" "${!E@}" "${!F@}" "${!G@}" "${!H@}" "${!I@}" "${!J@}" "${!K@}" "${!L@}" \
  "${!M@}" "${!N@}" "${!O@}" "${!P@}" "${!Q@}" "${!R@}" "${!S@}" "${!T@}" "${!U@}" "${!V@}" "${!W@}" "${!X@}" "${!Y@}" "${!Z@}" \
  "${!_@}" "${!a@}" "${!b@}" "${!c@}" "${!d@}" "${!e@}" "${!f@}" "${!g@}" "${!h@}" "${!i@}" "${!j@}" "${!k@}" "${!l@}" "${!m@}" \
  "${!n@}" "${!o@}" "${!p@}" "${!q@}" "${!r@}" "${!s@}" "${!t@}" "${!u@}" "${!v@}" "${!w@}" "${!x@}" "${!y@}" "${!z@}"; do
  case $inherited in
    # Once unset, EPOCHSECONDS is no clock any more; assigning to it does nothing.
    PAM_TYPE | PAM_SERVICE | PAM_USER | PAM_RUSER | PAM_RHOST | PAM_TTY | SSH_CONNECTION | EPOCHSECONDS)
      export -n "${inherited?}"
      ;;
    *) [[ ${!inherited@a} != *x* ]] || unset -v "$inherited" ;;
  esac
done
set -u +o posix
shopt -s nullglob
# In a replacement, & is an ampersand.
shopt -u patsub_replacement 2>/dev/null
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TZ=UTC0
umask 077
