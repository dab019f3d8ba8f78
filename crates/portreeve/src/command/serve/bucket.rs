//! Buckets to follow: the client of `portreeve-cloud`, as the watch asks for objects.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use portreeve_cloud::Access;
use portreeve_cloud::bucket::{Bucket, Listed, Location};
use portreeve_engine::serve::{Notice, Object, Objects, Watch};

/// A bucket with what it is called.
struct Followed {
    name: String,
    bucket: Bucket,
}

fn object(listed: Listed) -> Object {
    Object {
        key: listed.key,
        size: listed.size,
        tag: listed.tag,
    }
}

impl Objects for Followed {
    fn name(&self) -> &str {
        &self.name
    }

    fn list(&mut self, after: Option<&str>) -> Result<Vec<Object>, String> {
        let listed = self.bucket.list(after).map_err(|it| it.to_string())?;
        Ok(listed.into_iter().map(object).collect())
    }

    fn read(&mut self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.bucket.read(key).map_err(|it| it.to_string())
    }

    fn notices(&mut self) -> Result<Option<Vec<Notice>>, String> {
        let messages = self.bucket.messages().map_err(|it| it.to_string())?;
        Ok(messages.map(|messages| {
            let notices = messages.into_iter().map(|message| Notice {
                receipt: message.receipt,
                objects: message.objects.into_iter().map(object).collect(),
            });
            notices.collect()
        }))
    }

    fn done(&mut self, notice: &Notice) -> Result<(), String> {
        self.bucket
            .delete(&notice.receipt)
            .map_err(|it| it.to_string())
    }
}

/// Has the watch follow the buckets among the paths.
pub(super) fn follow(
    watch: &mut Watch,
    buckets: &[PathBuf],
    queue: Option<&str>,
    every: Duration,
) -> Result<()> {
    if queue.is_some() && buckets.len() != 1 {
        bail!(
            "--queue tells of the objects of one bucket; {} are followed",
            buckets.len()
        );
    }
    for path in buckets {
        let mut location: Location = text(path)?.parse()?;
        location.queue = queue.map(str::to_owned);
        let name = text(path)?.to_owned();
        let bucket = Bucket::open(location, &Access::default())
            .map_err(anyhow::Error::msg)
            .with_context(|| format!("cannot follow {name}"))?;
        watch.follow(Box::new(Followed { name, bucket }), every);
    }
    Ok(())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("the name of a bucket is text")
}
