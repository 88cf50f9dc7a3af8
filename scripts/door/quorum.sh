# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Who must have signed: so many people, and so many of certain groups. The rule is the door's own; people count by NAME.

# What is not fulfilled, after a failure; for people.
quorum_missing=''

# quorum_holds REQUESTER NAME…: whether these people, each given once, are enough for this requester.
quorum_holds() {
  local person=${signer_of[$1]-} requester=$1 name
  shift
  quorum_missing=''
  if [[ $person ]]; then
    for name; do
      [[ $name != "$person" ]] || { quorum_missing="$person is the requester" && return 1; }
    done
    quorum_met 0 "$@"
    return
  fi
  # Not exactly one person of the signers file, such as a shared account: it may be any one of those who signed, so they
  # must be enough without any single one of them. That is so if each number is one higher than needed.
  case ${config[shared-requester]} in
    accept) quorum_met 0 "$@" ;;
    one-more) quorum_met 1 "$@" || { quorum_missing+=", as $requester may be any one of them" && return 1; } ;;
    *) quorum_missing="$requester is not one person of the signers file" && return 1 ;;
  esac
}

# quorum_met SPARE NAME…: whether there are enough of these people, and SPARE more.
quorum_met() {
  local name set
  local -i spare=$1 subset index need count groups=${#required_groups[@]}
  shift
  need=${config[people]}+spare
  quorum_missing="$# of $need people have approved"
  (($# >= need)) || return 1
  # A person fills one place. By Hall's theorem there is a person for each place if, for every set of the groups, as many
  # people are in at least one of them as the set has places.
  for ((subset = 1; subset < 1 << groups; subset++)); do
    need=spare count=0 set=''
    for ((index = 0; index < groups; index++)); do
      ((subset >> index & 1)) || continue
      ((need += required_counts[index]))
      set+=",${required_groups[index]}"
    done
    for name; do
      for ((index = 0; index < groups; index++)); do
        ((subset >> index & 1)) || continue
        [[ ${signer_groups[$name]-} == *" ${required_groups[index]} "* ]] || continue
        ((count += 1))
        break
      done
    done
    quorum_missing="$count of $need people of ${set:1} have approved"
    ((count >= need)) || return 1
  done
  quorum_missing=''
}

# quorum_possible REQUESTER: whether everybody else together would be enough, or the requester alone; otherwise nobody need be
# asked.
quorum_possible() {
  local person=${signer_of[$1]-} name
  local -a others=()
  for name in "${signer_names[@]}"; do
    [[ $name == "$person" ]] || others+=("$name")
  done
  quorum_holds "$1" "${others[@]}" || is_of_alone_group "$1"
}
