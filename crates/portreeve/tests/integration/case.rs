//! A case is packed where it was watched, and looked at elsewhere.

use crate::common::served::Served;
use crate::common::{files_below, portreeve, said, simulated};

const SECRET: &str = "T000-not-for-others";

#[test]
fn a_case_is_shown_elsewhere_as_it_was_and_nothing_can_be_written_to_it() {
    let folder = simulated();
    let settings = folder.path().join("logs/portreeve.toml");
    let text = std::fs::read_to_string(&settings).unwrap_or_default();
    let text = format!("{text}\n[serve]\npage = \"https://watch.example/{SECRET}\"\n");
    std::fs::write(&settings, text).unwrap();
    let token = Served::token(folder.path(), "soc", "admin");
    let served = Served::new(folder, &[]);
    served.wait_until_caught_up();
    let path = |name: &str| served.folder.path().join(name).to_str().unwrap().to_owned();
    let incidents = "/api/v1/incidents?limit=1000";
    let list = served.get(incidents).body;
    let id = list
        .split("\"id\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let one = format!("/api/v1/incidents/{id}");
    let json = ("Content-Type", "application/json");
    let note = served.ask(
        "POST",
        &format!("{one}/notes"),
        &[json],
        b"{\"words\":\"seen\"}",
    );
    assert_eq!(note.status, 201);

    // While the watch goes on.
    let bundle = path("theft.tar.zst");
    let packed = portreeve(&["case", "pack", &path("data"), "--out", &bundle]);
    assert!(packed.status.success(), "{}", said(&packed));
    let words = String::from_utf8_lossy(&packed.stdout).into_owned();
    assert!(
        words.contains("left out: tokens (1)") && words.contains("serve.page"),
        "{words}"
    );
    let into = path("elsewhere");
    let opened = portreeve(&["case", "open", &bundle, "--into", &into]);
    assert!(opened.status.success(), "{}", said(&opened));
    let digest = words.rsplit("SHA-256 ").next().unwrap().trim();
    assert!(String::from_utf8_lossy(&opened.stdout).contains(digest));
    for entry in files_below(into.as_ref()) {
        let bytes = std::fs::read(&entry).unwrap();
        for secret in [SECRET, token.as_str()] {
            assert!(
                memchr::memmem::find(&bytes, secret.as_bytes()).is_none(),
                "{}",
                entry.display()
            );
        }
    }

    let shown = Served::case(&into);
    shown.wait_until_caught_up();
    assert_eq!(shown.get(incidents).body, list);
    assert_eq!(shown.get(&one).body, served.get(&one).body);
    let pages = ["/estate", "/keys", "/posture"];
    for page in pages {
        assert_eq!(shown.get(page).status, 200, "{page}");
    }
    let raw = |from: &Served| {
        let page = from.get(&format!("/incidents/{id}/records")).body;
        let link = page.split("href=\"/records?").nth(1).unwrap();
        let link = link.split('"').next().unwrap().replace("&amp;", "&");
        from.get(&format!("/records?{link}")).body
    };
    assert!(raw(&shown).contains("eventTime"));
    // Nothing can be written, and nothing is.
    let files = |folder: &str| {
        let files = files_below(folder.as_ref()).into_iter();
        files
            .map(|it| (it.clone(), std::fs::read(it).unwrap()))
            .collect::<Vec<_>>()
    };
    let before = files(&into);
    let writes = [
        ("POST", format!("{one}/notes"), "{\"words\":\"x\"}"),
        ("PUT", format!("{one}/care"), "{\"state\":\"closed\"}"),
        (
            "POST",
            format!("{one}/decisions"),
            "{\"kind\":\"join\",\"what\":\"x\"}",
        ),
        ("POST", "/api/v1/records".to_owned(), "{}"),
    ];
    for (method, path, body) in writes {
        let refused = shown.ask(method, &path, &[json], body.as_bytes());
        assert_eq!(refused.status, 403, "{path}");
    }
    let page = shown.get(&format!("/incidents/{id}")).body;
    assert!(
        page.contains("seen") && !page.contains("<textarea"),
        "{page}"
    );
    assert_eq!(files(&into), before);

    // A bundle that was altered on the way is refused whole.
    let mut bytes = std::fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let refused = portreeve(&["case", "open", &bundle, "--into", &path("third")]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(!served.folder.path().join("third").exists());
}
