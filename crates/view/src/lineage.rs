//! The order in which credentials were minted from one another.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_incident::CredentialStory;

/// Credentials with how deep they are in the lineage, each after the one it was minted from.
pub(crate) fn lineage(stories: &[CredentialStory]) -> Vec<(&CredentialStory, usize)> {
    let known: BTreeSet<&str> = stories
        .iter()
        .map(|story| story.credential.as_str())
        .collect();
    let mut children: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut pending: Vec<(usize, usize)> = Vec::new();
    for (place, story) in stories.iter().enumerate() {
        match story
            .parent
            .as_deref()
            .filter(|parent| known.contains(parent))
        {
            Some(parent) => children.entry(parent).or_default().push(place),
            None => pending.push((place, 0)),
        }
    }
    pending.reverse();
    let mut ordered = Vec::with_capacity(stories.len());
    let mut seen = BTreeSet::new();
    while let Some((place, depth)) = pending.pop() {
        let Some(story) = stories.get(place).filter(|_| seen.insert(place)) else {
            continue;
        };
        ordered.push((story, depth));
        if let Some(minted) = children.get(story.credential.as_str()) {
            pending.extend(minted.iter().rev().map(|child| (*child, depth + 1)));
        }
    }
    // Credentials that name each other as parents have no root; none may be lost.
    let rest = stories
        .iter()
        .enumerate()
        .filter(|(place, _)| !seen.contains(place));
    ordered.extend(rest.map(|(_, story)| (story, 0)));
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(credential: &str, parent: Option<&str>) -> CredentialStory {
        CredentialStory {
            credential: credential.into(),
            actor: String::new(),
            parent: parent.map(str::to_owned),
            minted_by: "unknown".into(),
            certainty: None,
            reason: None,
            created: None,
            expires: None,
            networks: vec![],
        }
    }

    #[test]
    fn children_follow_their_parents_and_circles_lose_nothing() {
        let stories = [
            story("c", Some("b")),
            story("a", None),
            story("b", Some("a")),
            story("x", Some("y")),
            story("y", Some("x")),
            story("s", Some("s")),
        ];
        let order: Vec<(&str, usize)> = lineage(&stories)
            .into_iter()
            .map(|(story, depth)| (story.credential.as_str(), depth))
            .collect();
        assert_eq!(
            order,
            [("a", 0), ("b", 1), ("c", 2), ("x", 0), ("y", 0), ("s", 0)]
        );
    }
}
