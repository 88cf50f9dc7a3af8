# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# How a run of a door ends. Every module leaves through `end` or `shut`; the EXIT trap of the entry script says the text,
# writes the log line and reports the code. A run that ends without `end` is an error: the door stays shut.

# Statuses, the same in every tool of Countersign: 0 approved, 1 error, 2 denied, 3 expired or lapsed, 4 cancelled or revoked.
end_status=1
# A word for machines, [a-z0-9-]{1,64}.
end_code=internal
# A sentence for people, in printable ASCII. Nothing that was not parsed goes into it.
end_text='internal error'
# Whether the sentence is for the log only.
end_quietly=no
# The id that the broker gave to the request; `-` until there is one.
request_id=-

# end STATUS CODE TEXT: leaves the script.
end() {
  end_status=$1 end_code=$2 end_text=$3
  exit "$1"
}

# warn TEXT: a line of the log beside the one of the end.
warn() {
  logger -t "${0##*/}[$$]" -p authpriv.warning -S 2048 -- "$1"
}

# shut CODE TEXT: leaves with an error.
shut() {
  end 1 "$1" "$2"
}
