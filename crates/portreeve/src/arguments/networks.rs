use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::PathsFormat;

#[derive(Debug, Args)]
pub(crate) struct Networks {
    #[command(subcommand)]
    pub(crate) task: NetworksTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NetworksTask {
    /// Fetch the open set through npm, or take files, in place of what is stored
    #[command(after_help = "EXAMPLES:
  portreeve networks update
  portreeve networks update --from GeoLite2-ASN.tar.gz --from GeoLite2-Country.mmdb
  portreeve networks update --from ip-location-db-asn-2.3.2026061719.tgz

The open set is @ip-location-db/asn and @ip-location-db/asn-country (CC BY 4.0), about 24 MB, fetched
with `npm pack`, which honours the proxies and the registry that npm is set to.")]
    Update {
        /// Files in place of the open set: a package or another tar archive, a MaxMind database, a
        /// CSV; of two that tell something the first counts
        #[arg(long, value_name = "FILE")]
        from: Vec<PathBuf>,
        /// The package client
        #[arg(
            long,
            default_value = "npm",
            value_name = "PROGRAM",
            conflicts_with = "from"
        )]
        npm: std::ffi::OsString,
        #[command(flatten)]
        folder: NetworksFolder,
    },
    /// Show which data are stored, and whom their licences ask to be named
    Show {
        #[command(flatten)]
        folder: NetworksFolder,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = PathsFormat::Terminal)]
        format: PathsFormat,
    },
    /// Tell what is known of addresses, and why
    #[command(after_help = "EXAMPLES:
  portreeve networks lookup 198.51.100.10 2001:db8::1
  portreeve networks lookup 192.0.2.41 --data networks.csv --format json")]
    Lookup {
        /// Addresses
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<String>,
        /// Settings; without it `portreeve.toml` here, if there is one
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Further data of networks, which count first
        #[arg(long, value_name = "FILE")]
        data: Vec<PathBuf>,
        #[command(flatten)]
        folder: NetworksFolder,
        /// The form of the answer
        #[arg(long, value_enum, default_value_t = PathsFormat::Terminal)]
        format: PathsFormat,
    },
}

/// Where data of networks are kept.
#[derive(Debug, Args)]
pub(crate) struct NetworksFolder {
    /// The folder of stored data; without it `networks` in the user's data folder, or in
    /// `PORTREEVE_DATA_DIR`
    #[arg(long = "folder", value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
}
