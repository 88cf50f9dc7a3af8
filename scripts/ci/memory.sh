# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# A door without memory: it makes a new ask each run and takes approvals of that one ask alone (`covers: request`), so that
# nothing from before this run can open it and nothing from it opens another.

# Prefix of the private files of this run, and the folder that holds nothing else.
run='' run_folder=''
# Nonce, claim and number of this ask; no number where the job shows none.
ask_nonce='' ask_claim='' ask_number=''
# The ask is never taken anew: what ended, ended this run.
renewed=yes

open_run() {
  run_folder=$(exec mktemp -d -- "${TMPDIR:-/tmp}/countersign-ci.XXXXXXXX") || state_failed
  # It stands in the options of curl.
  is_path "$run_folder" || shut bad-path 'TMPDIR is not a path of plain characters'
  run=$run_folder/run
}

close_run() {
  [[ ! $run_folder ]] || rm -rf -- "$run_folder"
}

state_failed() {
  shut state-failed "cannot write in ${run_folder:-${TMPDIR:-/tmp}}"
}

take_ask() {
  random_hex128 ask_nonce
  random_hex128 ask_claim
  ! asks_number || random_digits ask_number
  compose "$ask_nonce"
}

# Nothing was spent before this run.
find_spent() {
  return 1
}

# Nor will anything of this run be asked about again.
condemn() {
  :
}

# The broker keeps what ended.
drop_ask() {
  :
}

# spend: whether this is the time of the verified receipts. Once is seen to by the claim, and by the end of this run.
spend() {
  local -i at
  for ((at = 0; at < ${#receipt_statement[@]}; at++)); do
    [[ ${receipt_covers[at]} == request ]] || shut grant-refused 'a receipt is a grant, which a door without memory does not take'
    ((receipt_decided[at] <= EPOCHSECONDS + skew)) ||
      shut clock-skew "the clock of ${receipt_approver[at]} or of this machine is wrong"
    ((EPOCHSECONDS < receipt_not_after[at])) || shut too-late 'the approval ended before it was used'
  done
}
