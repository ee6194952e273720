//! Groups of methods that do not differ significantly.

/// The letters of each method's groups: two methods share a letter exactly where `apart` does not hold between them.
///
/// Methods come in order of rank, and the groups are the largest sets without two members apart (Piepho 2004, "An
/// algorithm for a letter-based representation of all-pairwise comparisons", J. Comput. Graph. Stat. 13:456, whose
/// letters these are before any is dropped).
pub fn letters(methods: usize, apart: impl Fn(usize, usize) -> bool) -> Vec<String> {
    let mut groups: Vec<Vec<usize>> = vec![(0..methods).collect()];
    for a in 0..methods {
        for b in a + 1..methods {
            if !apart(a, b) {
                continue;
            }
            // A group with both falls into one without a and one without b.
            let (broken, mut whole): (Vec<_>, Vec<_>) =
                groups.into_iter().partition(|group| group.contains(&a) && group.contains(&b));
            for group in broken {
                for gone in [b, a] {
                    let rest: Vec<usize> = group.iter().copied().filter(|member| *member != gone).collect();
                    if !whole.iter().any(|known| rest.iter().all(|member| known.contains(member))) {
                        whole.push(rest);
                    }
                }
            }
            groups = whole;
        }
    }
    groups.sort();
    let all = groups.clone();
    let within = |small: &[usize], large: &Vec<usize>| small.iter().all(|member| large.contains(member));
    groups.retain(|group| !all.iter().any(|other| other.len() > group.len() && within(group, other)));
    let of = |method: &usize| {
        let members = groups.iter().enumerate().filter(|(_, group)| group.contains(method));
        members.map(|(place, _)| letter(place)).collect::<String>()
    };
    (0..methods).map(|method| of(&method)).collect()
}

/// a … z, and then with a number: a2, b2, …
fn letter(place: usize) -> String {
    let letter = char::from(b'a' + (place % 26) as u8);
    if place < 26 { letter.to_string() } else { format!("{letter}{}", place / 26 + 1) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_method_between_two_shares_a_letter_with_each() {
        assert_eq!(letters(3, |a, b| (a, b) == (0, 2)), ["a", "ab", "b"]);
        assert_eq!(letters(3, |_, _| false), ["a", "a", "a"]);
        assert_eq!(letters(3, |_, _| true), ["a", "b", "c"]);
    }

    proptest! {
        #[test]
        fn methods_share_a_letter_exactly_where_they_are_not_apart(
            bits in prop::collection::vec(any::<bool>(), 15),
        ) {
            let apart = |a: usize, b: usize| bits[b * (b - 1) / 2 + a];
            let letters = letters(6, apart);
            for b in 1..6 {
                for a in 0..b {
                    let shared = letters[a].chars().any(|letter| letters[b].contains(letter));
                    prop_assert_eq!(shared, !apart(a, b), "{:?}", letters);
                }
            }
        }
    }
}
