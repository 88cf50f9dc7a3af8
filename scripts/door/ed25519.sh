# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Whether 32 bytes are an Ed25519 public key that means something: the canonical encoding (RFC 8032 section 5.1.3) of a
# point of the curve, and not one of the eight points of small order, with which anybody can sign.
#
# A number modulo p = 2^255-19 is fifteen limbs of 17 bits, the lowest first, so that sums of products fit in 63 bits.

# The curve constant d of RFC 8032 section 5.1.
ed25519_d=(96419 68012 54130 93885 7562 27146 114729 77824 96744 15547 78288 118385 46847 92017 83981)

# is_sound_ed25519_point HEX: the bytes as a key has them, the lowest first.
is_sound_ed25519_point() {
  local padded=00000
  local -a y=() product numerator
  local -i index bit
  ((${#1} == 64)) || return 1
  case $1 in
    # Orders 4 (y = 0) and 8; orders 1 and 2 have x = 0 and fail below. The top bit of the last byte is the sign of x.
    00000000000000000000000000000000000000000000000000000000000000[08]0) return 1 ;;
    26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc[08]5) return 1 ;;
    c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03[7f]a) return 1 ;;
  esac
  for ((index = 62; index >= 0; index -= 2)); do padded+=${1:index:2}; done
  for ((index = 0; index < 15; index++)); do
    # Six hex digits hold any seventeen bits.
    ((bit = 17 * index, 1))
    ((y[index] = 16#${padded:63-bit/4:6} >> bit % 4 & 0x1ffff, 1))
  done
  is_below_p "${y[@]}" || return 1
  # x^2 = (y^2-1) / (d*y^2+1) is a square exactly where the product of both is one.
  multiply "${y[*]}" "${y[*]}"
  numerator=("${product[@]}")
  for index in {0..14}; do ((numerator[index] += index ? 0x1ffff : 0x1ffec)); done
  multiply "${product[*]}" "${ed25519_d[*]}"
  ((product[0] += 1))
  multiply "${numerator[*]}" "${product[*]}"
  is_square "${product[@]}"
}

# is_below_p LIMB…
is_below_p() {
  local limb
  (($1 < 0x1ffed)) && return 0
  shift
  for limb; do
    ((limb == 0x1ffff)) || return 0
  done
  return 1
}

# multiply "LIMB…" "LIMB…": sets `product`, each limb below 2^17.
multiply() {
  local -a left right
  local -ai sum=(0 0 0 0 0 0 0 0 0 0 0 0 0 0 0)
  local -i i j
  read -r -a left <<<"$1"
  read -r -a right <<<"$2"
  for ((i = 0; i < 15; i++)); do
    # 2^255 is 19 modulo p.
    for ((j = 0; j < 15; j++)); do
      ((sum[(i + j) % 15] += left[i] * right[j] * (i + j < 15 ? 1 : 19)))
    done
  done
  for j in 1 2 3; do
    for ((i = 0; i < 14; i++)); do ((sum[i + 1] += sum[i] >> 17, sum[i] &= 0x1ffff)); done
    ((sum[0] += 19 * (sum[14] >> 17), sum[14] &= 0x1ffff))
  done
  product=("${sum[@]}")
}

# is_square LIMB…: whether the number is a square modulo p and not zero: whether its Jacobi symbol (a/n) with n = p is 1.
# Five limbs of 51 bits.
is_square() {
  local -i mask=$(((1 << 51) - 1)) sign=1 zeros i borrow
  local -a limbs=("$@")
  local -ai a n=(mask-18 mask mask mask mask) former
  for i in {0..4}; do ((a[i] = limbs[3 * i] | limbs[3 * i + 1] << 17 | limbs[3 * i + 2] << 34)); done
  while ((a[0] | a[1] | a[2] | a[3] | a[4])); do
    # Take out factors of two: (2/n) is -1 where n mod 8 is 3 or 5.
    for ((zeros = 0; zeros < 50 && (a[0] >> zeros & 1) == 0; zeros++)); do :; done
    if ((zeros)); then
      for i in 0 1 2 3; do ((a[i] = a[i] >> zeros | a[i + 1] << (51 - zeros) & mask)); done
      ((a[4] >>= zeros))
      ((zeros % 2 && ((n[0] & 7) == 3 || (n[0] & 7) == 5))) && ((sign = -sign))
      ((a[0] & 1)) || continue
    fi
    # Both are odd: the larger one minus the smaller one is even, and (a/n) is (n/a) but for the sign of reciprocity.
    for ((i = 4; i > 0 && a[i] == n[i]; i--)); do :; done
    if ((a[i] < n[i])); then
      ((a[0] & n[0] & 2)) && ((sign = -sign))
      former=("${a[@]}") a=("${n[@]}") n=("${former[@]}")
    fi
    for ((i = 0, borrow = 0; i < 5; i++)); do
      ((a[i] -= n[i] + borrow, borrow = a[i] < 0, a[i] &= mask))
    done
  done
  ((sign == 1 && n[0] == 1 && (n[1] | n[2] | n[3] | n[4]) == 0))
}
