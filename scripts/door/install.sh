# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# How files come onto a host: each in one piece, in the place of the one before, and only where something changes.

# Whether to say only what would be done; whether every question is answered with yes; whether anything was changed.
dry_run=no assume_yes=no changed=no

# put FILE MODE: standard input becomes FILE.
put() {
  local text new
  new=$(mktemp) && cat >"$new" || shut cannot-write 'no temporary file can be written'
  if [[ -f $1 && ! -L $1 ]] && cmp -s -- "$new" "$1" && [[ $(stat -c '%a %u' -- "$1") == "${2#0} 0" ]]; then
    rm -f -- "$new"
    return
  fi
  changed=yes
  if [[ $dry_run == yes ]]; then
    printf 'would write %s\n' "$1"
  else
    install -d -m 0755 -- "${1%/*}" && install -m "$2" -o root -g root -- "$new" "$1.new" && sync -- "$1.new" &&
      mv -f -T -- "$1.new" "$1" || shut cannot-write "cannot write $1"
    printf 'wrote %s\n' "$1"
  fi
  rm -f -- "$new"
}

# make_directory DIRECTORY MODE OWNER
make_directory() {
  [[ ! -d $1 || $(stat -c '%a %U' -- "$1") != "${2#0} $3" ]] || return 0
  changed=yes
  if [[ $dry_run == yes ]]; then
    printf 'would make %s\n' "$1"
  else
    install -d -m "$2" -o "$3" -- "$1" || shut cannot-write "cannot make $1"
    printf 'made %s\n' "$1"
  fi
}

# remove PATH…: what is there.
remove() {
  local path
  for path; do
    [[ -e $path || -L $path ]] || continue
    changed=yes
    if [[ $dry_run == yes ]]; then
      printf 'would remove %s\n' "$path"
    else
      rm -rf -- "$path" || shut cannot-write "cannot remove $path"
      printf 'removed %s\n' "$path"
    fi
  done
}

# copy_scripts FROM TO: hook, gate, this installer and their modules; modules that are no more go.
copy_scripts() {
  local path former=$changed
  [[ $1 != "$2" ]] || return 0
  changed=no
  for path in "$1"/door/*.sh; do
    put "$2/door/${path##*/}" 0644 <"$path" >/dev/null
  done
  # These come last: each of them reads modules.
  for path in countersign-pam countersign-gate countersign-roster install-door; do
    put "$2/$path" 0755 <"$1/$path" >/dev/null
  done
  if [[ $changed == no ]]; then
    changed=$former
  elif [[ $dry_run == yes ]]; then
    printf 'would write the scripts in %s\n' "$2"
  else
    printf 'wrote the scripts in %s\n' "$2"
  fi
  for path in "$2"/door/*.sh; do
    [[ -e $1/door/${path##*/} ]] || remove "$path"
  done
}

# set_keys FILE KEY=VALUE…: changes these keys of a configuration, and nothing else of it. The result is read before it counts.
set_keys() {
  local file=$1 text='' line key pair new
  local -A values=()
  local -a order=() lines=()
  shift
  for pair; do
    values[${pair%%=*}]=${pair#*=}
    order+=("${pair%%=*}")
  done
  [[ ! -f $file ]] || mapfile -t lines <"$file"
  for line in "${lines[@]}"; do
    key=${line%%=*}
    if [[ $line == [a-z]*=* && ${values[$key]+given} ]]; then
      line="$key=${values[$key]}"
      unset "values[$key]"
    fi
    text+=$line$'\n'
  done
  for key in "${order[@]}"; do
    [[ ! ${values[$key]+given} ]] || text+="$key=${values[$key]}"$'\n'
  done
  new=$(mktemp) && printf '%s' "$text" >"$new" || shut cannot-write 'no temporary file can be written'
  verify_config "$new" "$file"
  put "$file" 0644 <"$new"
  rm -f -- "$new"
}

# verify_config NEW FILE: ends the run unless NEW is a configuration.
verify_config() {
  local said
  said=$(
    exec 3>&1 >/dev/null
    trap 'printf "%s" "$end_text" >&3' EXIT
    [[ $2 == */pam.conf ]] || . "$here/door/gate.sh"
    [[ $2 == */pam.conf ]] || config_account=account
    read_config "$1"
    end_text=''
  )
  [[ ! $said ]] || shut bad-config "${said//"$1"/"$2"}"
}

# confirm QUESTION: whether somebody at the terminal says yes, or --yes was given.
confirm() {
  local answer=''
  [[ $assume_yes == no ]] || return 0
  [[ -t 0 ]] || shut no-terminal 'there is no terminal on which to ask: look at the changes above, then say --yes'
  read -r -p "$1 [y/N] " answer
  [[ $answer == [yY] || $answer == yes ]]
}

# replace_signers NEW FILE: shows who and what becomes of it and asks; the old file stays as FILE.previous.
replace_signers() {
  local new=$1 file=$2
  local -A before=() after=()
  [[ -f $new ]] || shut no-signers "there is no $new"
  ! cmp -s -- "$new" "$file" || return 0
  if [[ -f $file ]]; then
    ! parse_signers "$file" || signer_facts before
  fi
  parse_signers "$new" || shut bad-signers "$new line $bad_line: $bad_reason; the old file stays"
  signer_facts after
  printf 'signers file %s:\n' "$file"
  print_fact_changes
  [[ $dry_run == yes ]] || confirm 'Do these people approve here from now on?' ||
    shut not-confirmed 'nothing was changed'
  [[ ! -f $file ]] || put "$file.previous" 0644 <"$file"
  # What was shown, not what the file may have become since. No pipe: what fails, must end the run.
  put "$file" 0644 < <(printf '%s' "$signers_text")
}
