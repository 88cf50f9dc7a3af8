# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# The line of the hook in the files of PAM. Copies are kept outside of /etc/pam.d, where each file is a service.

# insert_hook SERVICE: makes the hook the first account line.
insert_hook() {
  local file=$check_pam_directory/$1 stamp
  [[ -f $file ]] || shut no-service "there is no $file"
  [[ ! -L $file ]] || shut no-service "$file is a symbolic link: edit what it leads to by hand"
  ! is_hook_line "$(first_account_line "$1" 0)" || return 0
  ! grep_file "$file" "$here/countersign-pam" ||
    shut hook-not-first "$file has the hook, but not as its first account line, or with other options: take that line out first"
  printf -v stamp '%(%Y%m%dT%H%M%SZ)T' -1
  [[ $dry_run == yes ]] || put "$backups/$1.$stamp" 0600 <"$file"
  # No pipe: what fails, must end the run.
  replace_pam "$file" < <(with_hook "$file")
}

# set_session yes|no: makes the watcher of sessions the last line of sshd, or takes it out.
set_session() {
  local file=$check_pam_directory/sshd
  if [[ $1 == yes ]]; then
    ! has_session_line "$file" || return 0
    replace_pam "$file" < <(with_session "$file")
  else
    has_session_line "$file" || return 0
    replace_pam "$file" < <(without_lines is_session_line "$file")
  fi
}

# without_lines TEST FILE: prints the lines of FILE that do not pass.
without_lines() {
  local line
  while IFS= read -r line || [[ $line ]]; do
    "$1" "$line" || printf '%s\n' "$line"
  done <"$2"
}

# with_session FILE: prints FILE with the line of the watcher behind it.
with_session() {
  local text=''
  IFS= read -r -d '' text <"$1"
  printf '%s%s\n' "${text:+"${text%$'\n'}"$'\n'}" "$session_line"
}

# with_hook FILE: prints FILE with the line of the hook before the first line that brings an account line.
with_hook() {
  local line begun='' inserted=no
  while IFS= read -r line || [[ $line ]]; do
    if [[ $inserted == no && ! $begun ]] && account_line_of "$line" 0 >/dev/null; then
      inserted=yes
      printf '%s\n' "$hook_line"
    fi
    begun=''
    ! goes_on "$line" || begun=yes
    printf '%s\n' "$line"
  done <"$1"
  [[ $inserted == yes ]] || printf '%s\n' "$hook_line"
}

# replace_pam FILE: standard input becomes FILE, which keeps its owner, mode and label.
replace_pam() {
  changed=yes
  if [[ $dry_run == yes ]]; then
    cat >/dev/null
    printf 'would change %s\n' "$1"
    return
  fi
  cp -a -- "$1" "$1.countersign-new" && cat >"$1.countersign-new" && sync -- "$1.countersign-new" &&
    mv -f -T -- "$1.countersign-new" "$1" || shut cannot-write "cannot write $1"
  printf 'changed %s\n' "$1"
}

# remove_hook SERVICE: puts back the copy of which the file is what `insert_hook` made; else takes out the line alone.
remove_hook() {
  local file=$check_pam_directory/$1 copy line now=''
  local -a copies=("$backups/$1".[0-9]*)
  [[ -f $file ]] && grep_file "$file" "$here/countersign-pam" || return 0
  for copy in "${copies[@]}"; do
    with_hook "$copy" | cmp -s -- - "$file" || with_session <(with_hook "$copy") | cmp -s -- - "$file" || continue
    replace_pam "$file" <"$copy"
    return
  done
  printf 'note  %s was changed since: only the line of the hook is taken out\n' "$file"
  while IFS= read -r line || [[ $line ]]; do
    is_hook_line "$line" || is_session_line "$line" || now+=$line$'\n'
  done <"$file"
  replace_pam "$file" <<<"${now%$'\n'}"
  ! grep_file "$file" "$here/countersign-pam" || shut hook-left "$file still names the hook: take that line out by hand"
}
