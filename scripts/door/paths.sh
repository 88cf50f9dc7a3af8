# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Who can have written the files that a door trusts. A file, and every directory above it, must be root's, must not be
# writable for group or others, and must not be a symbolic link: then only root can have put it there.

# is_path TEXT: an absolute path of plain characters, without `.`, `..` and empty parts, so that its parents are its prefixes.
is_path() {
  [[ $1 == /* && $1 != *[!A-Za-z0-9._/@+-]* && $1/ != */@(|.|..)/* ]] && ((${#1} <= 1024))
}

# What is wrong with a path or a directory above it, for the paths that have been looked at; empty if nothing is.
declare -gA path_faults=()

# look_at PATH…: finds out about the paths and all directories above them, in one call.
look_at() {
  local -A seen=()
  local -a paths=(/) above=() facts=()
  local -i index
  local path directory
  for path; do
    is_path "$path" || shut bad-path "not a plain absolute path: $path"
    above=()
    while [[ $path && ! ${seen[$path]-} ]]; do
      seen[$path]=yes
      above=("$path" "${above[@]}")
      path=${path%/*}
    done
    paths+=("${above[@]}")
  done
  # Raw modes in hex say the type as well. stat does not follow links, and says nothing about what is missing.
  mapfile -t facts < <(exec stat -c '%u %f' -- "${paths[@]}")
  for ((index = 0; index < ${#paths[@]}; index++)); do
    [[ -e ${paths[index]} || -L ${paths[index]} ]] || facts=("${facts[@]:0:index}" missing "${facts[@]:index}")
  done
  ((${#facts[@]} == ${#paths[@]})) || shut unsafe-file 'cannot tell whose files these are'
  # Directories stand before what is in them.
  for ((index = 0; index < ${#paths[@]}; index++)); do
    path=${paths[index]}
    directory=${path%/*}
    case ${facts[index]} in
      # A regular file, a directory or a socket that group and others cannot write is as good as what is above it.
      '0 '[48c]?[02468ace][014589cd])
        path_faults[$path]=''
        [[ $path == / ]] || path_faults[$path]=${path_faults[${directory:-/}]-nobody has looked above $path}
        ;;
      missing) path_faults[$path]="there is no $path" ;;
      *' a'???) path_faults[$path]="$path is a symbolic link: give the path that it leads to" ;;
      '0 '*) path_faults[$path]="$path can be written by group or others, or is no file or directory" ;;
      *) path_faults[$path]="$path does not belong to root" ;;
    esac
  done
}

# require_trusted PATH…: shuts the door unless all of the paths, and all directories above them, are as said above.
require_trusted() {
  local path
  for path; do
    [[ ! ${path_faults[$path]-nobody has looked at $path} ]] || shut unsafe-file "${path_faults[$path]}"
  done
}
