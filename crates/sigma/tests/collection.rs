//! The public collection of Sigma rules loads unchanged.

use portreeve_record::Fields;
use portreeve_sigma::{DiagnosticKind, DiagnosticSeverity, Matcher, parse};

mod common;

#[test]
fn all_public_rules_are_parsed_and_all_but_placeholders_compiled() {
    let Some(folder) = common::shared("rules/sigmahq") else {
        return;
    };
    let files = common::rule_files(&folder);
    assert!(files.len() > 3_700, "{} files", files.len());
    let mut rules = Vec::new();
    for path in &files {
        let text = std::fs::read_to_string(path).expect("the file can be read");
        let parsed = parse(&path.display().to_string(), &text);
        let errors: Vec<_> = parsed
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == DiagnosticSeverity::Error)
            .collect();
        assert!(errors.is_empty(), "{}", errors[0].render(&text, false));
        assert_eq!(parsed.rules.len(), 1, "{}", path.display());
        rules.extend(parsed.rules);
    }
    let (matcher, refused) = Matcher::new(&rules, &mut Fields::default());
    for diagnostic in &refused {
        assert_eq!(diagnostic.kind, DiagnosticKind::Placeholder, "{diagnostic}");
    }
    assert_eq!(refused.len(), 2);
    let compiled = (0..rules.len())
        .filter(|rule| matcher.is_compiled(*rule))
        .count();
    assert_eq!(compiled + refused.len(), files.len());
}

#[test]
fn all_aws_rules_load_and_the_index_reaches_each() {
    let Some(folder) = common::shared("rules/sigmahq/rules/cloud/aws") else {
        return;
    };
    let mut rules = Vec::new();
    for path in common::rule_files(&folder) {
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let parsed = parse(&path.display().to_string(), &text);
        assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics);
        rules.extend(parsed.rules);
    }
    assert_eq!(rules.len(), 57);
    assert!(
        rules
            .iter()
            .all(|rule| rule.logsource.product.as_deref() == Some("aws"))
    );
    assert!(
        rules
            .iter()
            .all(|rule| !rule.tags.is_empty() && rule.id.is_some())
    );
    let (matcher, refused) = Matcher::new(&rules, &mut Fields::default());
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(matcher.always_tested(), 0);
}
