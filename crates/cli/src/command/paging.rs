//! How much of a list is asked for: a page, the next one, or all.

/// How many rows are asked for at once with `--all`.
const PAGE: i32 = 10_000;

/// Which part of a list is wanted.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Paging {
    /// The most rows of a page (the server's default is 1,000).
    #[arg(long, alias = "page-size", value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(i32).range(0..))]
    limit: i32,
    /// Where to go on, from the page before.
    #[arg(
        long,
        value_name = "TOKEN",
        default_value = "",
        hide_default_value = true,
        conflicts_with = "all"
    )]
    pub(crate) page_token: String,
    /// All pages, one after the other.
    #[arg(long)]
    pub(crate) all: bool,
}

impl Paging {
    /// How many rows to ask for at once; 0 for as many as the server thinks right.
    pub(crate) fn size(&self) -> i32 {
        match self.limit {
            0 if self.all => PAGE,
            limit => limit,
        }
    }
}
