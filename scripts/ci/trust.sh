# shellcheck shell=bash disable=SC2015,SC2034,SC2154,SC2317 # `a && b || shut` is meant; the modules share variables
# The door that believes its broker: for runners without ssh-keygen, where a stolen broker is an accepted risk.

# trust_broker: from here on no signature is verified and no person counted; what is said must still be about this ask.
trust_broker() {
  load_signers() { :; }
  quorum_holds() { :; }
  verify_receipts() {
    local -i index
    ((${#receipt_statement[@]})) || shut no-receipt 'the broker says approved but shows no receipt'
    for index in "${!receipt_statement[@]}"; do verify_terms "$index"; done
    approvers=("${receipt_approver[@]}")
  }
  say 'WARNING: --trust-broker: signatures are not verified; whoever owns the broker opens this door'
}
