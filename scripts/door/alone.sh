# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Break-glass alone, where `alone-group=` allows it: somebody of that group opens for himself, with a reason of some length,
# once this door's own clock says that the ask has stood for so long that anybody could have stopped it. The TypeScript doors do
# the same (src/door/alone.ts).

# is_alone INDEX: whether a receipt is the only one, and by the requester himself.
is_alone() {
  [[ ${config[alone-group]} && ${answer-} != offline && ${receipt_approver[$1]} == "${signer_of[$requester]-}" ]] &&
    ((${#receipt_statement[@]} == 1))
}

# is_of_alone_group REQUESTER: whether the person of the signers file that this is may ever open alone.
is_of_alone_group() {
  local person=${signer_of[$1]-}
  [[ ${config[alone-group]} && $person && ${signer_groups[$person]-} == *" ${config[alone-group]} "* ]]
}

# admit_alone: whether the verified receipt opens by this way. Fails with `quorum_missing`; ends the run while it is too early.
admit_alone() {
  local -i characters now=EPOCHSECONDS opens
  is_alone 0 || return 1
  quorum_missing="$requester is not in the group that may open alone"
  is_of_alone_group "$requester" || return 1
  quorum_missing='a grant is not for one person alone'
  [[ ${receipt_covers[0]} == request ]] || return 1
  count_characters "${receipt_comment[0]}"
  quorum_missing="the reason has $characters characters, and ${config[alone-reason]} are needed"
  ((characters >= config[alone-reason])) || return 1
  quorum_missing='this door does not know when it asked'
  [[ $ask_drawn =~ ^[0-9]{12}$ ]] || return 1
  ((opens = 10#$ask_drawn + config[alone-after]))
  quorum_missing='the clock of this host was set back: it is before the ask'
  ((now >= 10#$ask_drawn)) || return 1
  if ((now < opens)); then
    # The ask stays, and its claim gets the same receipt again.
    claimed=no
    end 3 alone-too-early "nobody opens alone before $((opens - now)) seconds are over; $again_by then"
  fi
  admitted=alone log_priority=warning
}

# count_characters JSON: sets `characters` to those of a string, in UTF-16 as JSON escapes them.
count_characters() {
  local text=${1:1:${#1}-2}
  # Pairs of backslashes first, so that what is left begins an escape.
  # shellcheck disable=SC1003 # two backslashes
  text=${text//'\\'/x}
  text=${text//'\u'????/x}
  # shellcheck disable=SC1003 # one backslash
  text=${text//'\'?/x}
  characters=${#text}
}
