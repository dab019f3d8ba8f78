//! The watch comes to what an investigation of the same records comes to, whatever happens to its inputs.

mod house;
mod troubles;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::time::Duration;

use house::{House, compressed};

#[test]
fn the_watch_says_what_an_investigation_says() {
    let house = House::simulated();
    let expected = house.investigated();
    assert!(!expected.incidents.is_empty() && expected.findings.len() > 10);
    house.catch_up();
    assert_eq!(house.stored(), expected);
    // Begun again it takes in nothing twice, and has nothing to change.
    let revision = house.revision();
    house.catch_up();
    assert_eq!(house.stored(), expected);
    assert_eq!(
        house.revision(),
        revision + 1,
        "the fold at the start, and no other"
    );
    assert_eq!(house.records_in_log(), house.records());
}

#[test]
fn files_that_come_one_by_one_in_any_order_make_the_same() {
    let house = House::simulated();
    let expected = house.investigated();
    let logs = house.take_logs_away();
    let watching = house.watch();
    let mut order: Vec<_> = logs.iter().collect();
    order.reverse();
    let half = order.len() / 2;
    for (path, bytes) in &order[..half] {
        house.put(path, bytes);
    }
    watching.wait_for(|house| house.records_in_log() > 0);
    for (path, bytes) in &order[half..] {
        house.put(path, bytes);
    }
    watching.wait_for(|house| house.records_in_log() == house.records());
    watching.stop();
    assert_eq!(house.stored(), expected);
}

#[test]
fn lines_count_once_their_end_is_written() {
    let house = House::simulated();
    let lines = house.take_logs_as_lines();
    let text = lines.join("\n") + "\n";
    let path = house.logs().join("audit.ndjson");
    fs::write(&path, &text).unwrap();
    let expected = house.investigated();
    fs::write(&path, "").unwrap();
    let watching = house.watch();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    // Written in pieces that end within lines.
    let bytes = text.as_bytes();
    let pieces: Vec<&[u8]> = bytes.chunks(bytes.len() / 7 + 1).collect();
    for (number, piece) in pieces.iter().enumerate() {
        file.write_all(piece).unwrap();
        let so_far = ((bytes.len() / 7 + 1) * (number + 1)).min(bytes.len());
        let whole = lines_in(bytes[..so_far].iter());
        if number + 1 < pieces.len() {
            watching.wait_for(|house| house.records_in_log() >= whole);
            assert_eq!(house.records_in_log(), whole);
        }
    }
    watching.wait_for(|house| house.records_in_log() == lines.len() as u64);
    watching.stop();
    assert_eq!(house.stored(), expected);
    assert_eq!(house.dead_letters(), 0);
}

fn lines_in<'b>(bytes: impl Iterator<Item = &'b u8>) -> u64 {
    bytes.filter(|byte| **byte == b'\n').count() as u64
}

#[test]
fn a_half_written_document_is_waited_for_and_then_taken_as_far_as_it_goes() {
    let house = House::simulated();
    let lines = house.take_logs_as_lines();
    let document = format!("{{\"Records\":[{}]}}", lines.join(","));
    let bytes = compressed(document.as_bytes());
    let whole = house.logs().join("whole.json.gz");
    let broken = house.logs().join("broken.json.gz");
    let watching = house.watch();
    // Half of it: nothing is taken yet, and nothing is told to be broken.
    fs::write(&whole, &bytes[..bytes.len() / 2]).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((house.records_in_log(), house.dead_letters()), (0, 0));
    fs::write(&whole, &bytes).unwrap();
    watching.wait_for(|house| house.records_in_log() == lines.len() as u64);
    assert_eq!(house.dead_letters(), 0);
    // One that stays half is taken as far as it goes once it has settled, and its end told.
    fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    watching.wait_for(|house| house.dead_letters() > 0);
    watching.stop();
    assert!(house.records_in_log() > lines.len() as u64);
}

#[test]
fn rotation_loses_nothing_and_takes_nothing_twice() {
    let house = House::simulated();
    let lines = house.take_logs_as_lines();
    let (first, rest) = lines.split_at(lines.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    let path = house.logs().join("audit.ndjson");
    let watching = house.watch();
    fs::write(&path, first.join("\n") + "\n").unwrap();
    watching.wait_for(|house| house.records_in_log() == first.len() as u64);
    // Renamed, written on for a moment by who has it open, and a new one of the same name.
    let old = house.logs().join("audit.ndjson.1");
    fs::rename(&path, &old).unwrap();
    let mut open = OpenOptions::new().append(true).open(&old).unwrap();
    writeln!(open, "{}", second[0]).unwrap();
    fs::write(&path, second[1..].join("\n") + "\n").unwrap();
    let so_far = (first.len() + second.len()) as u64;
    watching.wait_for(|house| house.records_in_log() == so_far);
    // Cut and begun anew in its place.
    fs::write(&path, third.join("\n") + "\n").unwrap();
    watching.wait_for(|house| house.records_in_log() == lines.len() as u64);
    watching.stop();
    house.catch_up();
    assert_eq!(house.records_in_log(), lines.len() as u64);
}

#[test]
fn a_moved_folder_is_not_read_again() {
    let mut house = House::simulated();
    house.catch_up();
    let before = house.records_in_log();
    house.copy_logs_in_place();
    house.catch_up();
    assert_eq!(house.records_in_log(), before);
}

#[test]
fn what_comes_twice_and_what_comes_late_makes_the_same() {
    let house = House::simulated();
    let expected = house.investigated();
    let logs = house.take_logs_away();
    // The records of the first file again, under a later name: evidence points to the first.
    let (path, bytes) = logs.iter().next().unwrap();
    let (late, others): (Vec<_>, Vec<_>) = logs
        .iter()
        .partition(|(path, _)| path.ends_with(".json.gz") && path.len() % 5 == 0);
    for (path, bytes) in &others {
        house.put(path, bytes);
    }
    house.catch_up();
    for (path, bytes) in &late {
        house.put(path, bytes);
    }
    house.put(&format!("zz/{}", path.rsplit('/').next().unwrap()), bytes);
    house.catch_up();
    assert_eq!(house.stored(), expected);
}

#[test]
fn a_full_store_is_waited_for_and_nothing_is_lost() {
    let house = House::simulated();
    let expected = house.investigated();
    let watching = house.watch_with_a_store_that_fails(4);
    watching.wait_for(|house| house.records_in_log() == house.records());
    // Stage two has got through too.
    watching.wait_for(|house| !house.stored().incidents.is_empty());
    // To be told to end while it waits would be an end by the trouble.
    watching.wait(|board| board.figures().caught_up);
    watching.stop();
    assert_eq!(house.stored(), expected);
}

#[test]
fn inventory_is_read_again_and_the_difference_told() {
    let house = House::simulated();
    let inventory = house.take_inventory_away();
    let watching = house.watch();
    watching.wait_for(|house| house.records_in_log() == house.records());
    assert!(watching.board().shown().unwrap().report.jewels.is_empty());
    for (path, bytes) in &inventory {
        house.put(path, bytes);
    }
    watching.wait(|board| {
        let shown = board.shown();
        shown.is_some_and(|shown| {
            shown.inventory_change.is_some() && !shown.report.jewels.is_empty()
        })
    });
    watching.stop();
    assert_eq!(house.stored(), house.investigated());
}

#[test]
fn an_unreadable_file_is_told_once_and_the_others_are_read() {
    let house = House::simulated();
    let path = house.logs().join("odd.json");
    // A folder's name where a file should be cannot be opened as one; a link to nowhere neither.
    #[cfg(unix)]
    std::os::unix::fs::symlink(house.logs().join("nowhere"), &path).unwrap();
    #[cfg(not(unix))]
    drop(File::create(&path).unwrap());
    house.catch_up();
    assert_eq!(house.records_in_log(), house.records());
}

#[test]
fn records_handed_in_are_acknowledged_once_stored() {
    let house = House::simulated();
    let lines = house.take_logs_as_lines();
    let watching = house.watch();
    let body = lines[..200].join("\n");
    let receipt = watching
        .intake()
        .offer("http:soc", body.as_bytes())
        .unwrap();
    assert_eq!(receipt.records, 200);
    let revision = receipt.wait().unwrap();
    assert!(house.revision() >= revision);
    assert_eq!(house.records_in_log(), 200);
    // The same again: taken, and counted once.
    watching
        .intake()
        .offer("http:soc", body.as_bytes())
        .unwrap()
        .wait()
        .unwrap();
    let shown = watching.board().shown().unwrap();
    assert_eq!(shown.report.coverage[0].records, 200);
    assert_eq!(shown.report.coverage[0].duplicates, 200);
    watching.stop();
}

#[test]
fn two_watches_do_not_share_a_folder() {
    let house = House::simulated();
    let watching = house.watch();
    let error = portreeve_engine::serve::DataFolder::take(house.data()).unwrap_err();
    assert!(
        error.to_string().contains("another `portreeve serve`"),
        "{error}"
    );
    watching.stop();
    assert!(portreeve_engine::serve::DataFolder::take(house.data()).is_ok());
    let _ = File::open(house.data()).unwrap();
}

/// The least that a watch can be told to hold.
const LITTLE: usize = 1_000;

#[test]
fn a_watch_that_holds_little_finds_the_same_in_what_comes_in_order() {
    let house = House::simulated();
    let mut lines = house.take_logs_as_lines();
    lines.sort_by_cached_key(|line| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["eventTime"].as_str().unwrap().to_owned()
    });
    house.put("more/all.ndjson", (lines.join("\n") + "\n").as_bytes());
    let expected = house.investigated();
    let figures = house.catch_up_holding(LITTLE);
    assert!(figures.sealed_until.is_some(), "{figures:?}");
    assert_eq!(figures.late, 0);
    assert!(
        (figures.rows as usize) < lines.len().min(LITTLE * 5 / 4),
        "{} of {} rows are held",
        figures.rows,
        lines.len()
    );
    let found = house.stored();
    let ids = |all: &std::collections::BTreeMap<String, String>| -> Vec<String> {
        all.keys().cloned().collect()
    };
    assert_eq!(ids(&found.findings), ids(&expected.findings));
    assert_eq!(ids(&found.incidents), ids(&expected.incidents));
    // What a finding says is the same, but for which of many records it names.
    let told = |body: &String| {
        let finding: serde_json::Value = serde_json::from_str(body).unwrap();
        [
            finding["rule"].clone(),
            finding["severity"].clone(),
            finding["actor"].clone(),
            finding["evidence_total"].clone(),
            finding["time"].clone(),
            finding["last_time"].clone(),
        ]
    };
    for (id, body) in &expected.findings {
        assert_eq!(told(&found.findings[id]), told(body), "{id}");
    }
}

#[test]
fn what_is_sealed_does_not_depend_on_when_it_was_folded_or_begun_again() {
    let at_once = House::simulated();
    let figures = at_once.catch_up_holding(LITTLE);
    // Regions are delivered one behind the other: the later ones come late.
    assert!(
        figures.sealed_until.is_some() && figures.late > 0,
        "{figures:?}"
    );
    let expected = at_once.stored();
    let in_pieces = House::simulated();
    let logs: Vec<_> = in_pieces.take_logs_away().into_iter().collect();
    for piece in logs.chunks(logs.len().div_ceil(4)) {
        for (path, bytes) in piece {
            in_pieces.put(path, bytes);
        }
        in_pieces.catch_up_holding(LITTLE);
    }
    assert_eq!(in_pieces.records_in_log(), at_once.records());
    let told = in_pieces.stored();
    assert_eq!(told.findings.len(), expected.findings.len());
    assert!(told.incidents.keys().eq(expected.incidents.keys()));
    // Both lie in folders of their own, which evidence names.
    let plain =
        |house: &House, bodies: &std::collections::BTreeMap<String, String>| -> Vec<String> {
            let folder = house.data().parent().unwrap().display().to_string();
            bodies.values().map(|it| it.replace(&folder, "")).collect()
        };
    assert_eq!(
        plain(&in_pieces, &told.incidents),
        plain(&at_once, &expected.incidents)
    );
    assert_eq!(
        plain(&in_pieces, &told.findings),
        plain(&at_once, &expected.findings)
    );
}

#[test]
fn a_folder_that_vanishes_is_waited_for_with_what_was_known_of_it() {
    let house = House::simulated();
    let expected = house.investigated();
    let logs: Vec<_> = house.take_logs_away().into_iter().collect();
    let (first, rest) = logs.split_at(logs.len() / 2);
    for (path, bytes) in first {
        house.put(path, bytes);
    }
    let watching = house.watch();
    watching.wait(|board| board.shown().is_some() && board.figures().caught_up);
    let away = house.vanish();
    watching.wait(|board| !board.figures().troubles.is_empty());
    // Longer than a look at the inventory would take to come.
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(
        watching.board().shown().unwrap().inventory,
        1,
        "the estate stays known"
    );
    house.come_back(away);
    for (path, bytes) in rest {
        house.put(path, bytes);
    }
    watching.wait_for(|house| house.records_in_log() == house.records());
    watching.wait(|board| board.figures().troubles.is_empty());
    watching.stop();
    assert_eq!(house.stored(), expected);
}

#[test]
fn clocks_that_jump_cost_nothing() {
    let house = House::simulated();
    let mut lines = house.take_logs_as_lines();
    // One machine believes that it is another century, another that it is 1970; they are heard first, and in
    // the middle.
    let strange = |id: u32, time: &str| {
        format!(
            r#"{{"eventVersion":"1.09","eventSource":"ec2.amazonaws.com","eventName":"DescribeRegions","eventTime":"{time}","eventID":"00000000-0000-4000-8000-{id:012x}","awsRegion":"eu-west-1","recipientAccountId":"111122223333","readOnly":true,"userIdentity":{{"type":"IAMUser","userName":"clock","arn":"arn:aws:iam::111122223333:user/clock","accountId":"111122223333","accessKeyId":"AKIACLOCK00000000001"}}}}"#
        )
    };
    lines.insert(0, strange(1, "2099-01-01T00:00:00Z"));
    lines.insert(lines.len() / 2, strange(2, "1970-01-01T00:00:00Z"));
    lines.insert(lines.len() / 2, strange(3, "2098-01-01T00:00:00Z"));
    house.put("more/all.ndjson", (lines.join("\n") + "\n").as_bytes());
    let expected = house.investigated();
    house.catch_up();
    assert_eq!(house.stored(), expected);
    // Where little is held a record of the future does not make all others late.
    let house = House::simulated();
    house.take_logs_away();
    lines.sort_by_cached_key(|line| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let time = record["eventTime"].as_str().unwrap().to_owned();
        (!time.starts_with("209"), time)
    });
    house.put("more/all.ndjson", (lines.join("\n") + "\n").as_bytes());
    let figures = house.catch_up_holding(LITTLE);
    assert!(figures.sealed_until.is_some());
    assert_eq!(figures.late, 0);
}

#[test]
fn what_the_log_lets_go_stays_found() {
    let house = House::simulated();
    house.catch_up();
    let expected = house.stored();
    // As retention does it: the log is gone, and the store knows until when.
    house.let_the_log_go();
    house.catch_up();
    assert_eq!(house.records_in_log(), 0);
    assert_eq!(house.stored(), expected);
    // What comes after that is told beside it.
    let record = r#"{"eventVersion":"1.09","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","eventTime":"2026-09-03T07:44:00Z","eventID":"a20c2df5-71d5-441e-84c8-b424f1c78ffb","awsRegion":"eu-west-1","recipientAccountId":"111122223333","userIdentity":{"type":"IAMUser","userName":"late","arn":"arn:aws:iam::111122223333:user/late","accountId":"111122223333","accessKeyId":"AKIALATE000000000001"}}"#;
    house.put("more/late.ndjson", format!("{record}\n").as_bytes());
    house.catch_up();
    let found = house.stored();
    assert!(found.findings.len() > expected.findings.len());
    assert!(
        expected
            .findings
            .iter()
            .all(|(id, body)| found.findings.get(id) == Some(body))
    );
}
