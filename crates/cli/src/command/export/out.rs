//! Where an export goes: a file that takes its name when it is whole, a device, or standard output.

use super::To;
use crate::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::NamedTempFile;
use werkbuch_model::nearest::did_you_mean;
use werkbuch_table::Form;

/// Where an export goes, checked before anything is asked.
#[derive(Debug)]
pub(super) struct Target {
    place: Place,
    pub(super) form: Form,
    packed: bool,
}

#[derive(Debug)]
enum Place {
    Stdout,
    /// A file, with the folder that it will be in.
    File {
        path: PathBuf,
        folder: PathBuf,
    },
    /// Something that is there and no file, such as a pipe.
    Device(PathBuf),
}

/// What is written to; closed, it has its name.
pub(super) struct Out {
    to: Box<dyn Sinks>,
    name: Option<PathBuf>,
}

impl Target {
    /// Errors: no form can be told; a folder, or a file without --force, is in the way; the folder is not
    /// there.
    pub(super) fn of(to: &To, context: &Context) -> Outcome<Self> {
        let named = to.out.as_os_str() != "-";
        let place = named.then(|| place(&to.out, to.force)).transpose()?;
        let (form, packed) = form(to, context)?;
        if packed && !form.is_text() {
            let what = format!(
                "a file of form {} is packed in itself, not by gzip",
                form.name()
            );
            return Err(Failure::usage(what).hint("leave .gz out of its name"));
        }
        let place = place.unwrap_or(Place::Stdout);
        if !named && !form.is_text() && io::stdout().is_terminal() {
            let what = format!("form {} is not for a terminal", form.name());
            return Err(Failure::usage(what).hint("name a file with --out, or ask for csv"));
        }
        Ok(Self {
            place,
            form,
            packed,
        })
    }

    /// The file's name; none for standard output.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Stdout => None,
            Place::File { path, .. } | Place::Device(path) => Some(path),
        }
    }

    /// Begins to write; the bytes that arrive are counted. Errors: nothing can be made there.
    pub(super) fn open(&self, bytes: &Arc<AtomicU64>) -> Outcome<Out> {
        let failed = |path: &Path, error: io::Error| Failure::file(path, &error);
        let to: Box<dyn Sinks> = match &self.place {
            Place::Stdout => self.packed(io::stdout(), bytes),
            Place::Device(path) => {
                let file = OpenOptions::new().write(true).open(path);
                self.packed(file.map_err(|error| failed(path, error))?, bytes)
            }
            Place::File { path, folder } => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let made = tempfile::Builder::new()
                    .prefix(&format!(".{name}."))
                    .suffix(".part")
                    .permissions(Permissions::from_mode(0o666))
                    .tempfile_in(folder);
                self.packed(made.map_err(|error| failed(path, error))?, bytes)
            }
        };
        Ok(Out {
            to,
            name: match &self.place {
                Place::File { path, .. } => Some(path.clone()),
                _ => None,
            },
        })
    }

    fn packed<W: Whole + Send + 'static>(&self, out: W, bytes: &Arc<AtomicU64>) -> Box<dyn Sinks> {
        let bytes = Arc::clone(bytes);
        let out = Counted { out, bytes };
        let out = BufWriter::with_capacity(256 * 1024, out);
        match self.packed {
            true => Box::new(GzEncoder::new(out, Compression::default())),
            false => Box::new(out),
        }
    }
}

impl Out {
    /// Gives the file its name, once all of it is on disk.
    pub(super) fn close(self) -> io::Result<()> {
        self.to.close(self.name.as_deref())
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Counts the bytes on their way to where they end.
struct Counted<W> {
    out: W,
    bytes: Arc<AtomicU64>,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What can be written to through buffers and packing, and then closed.
trait Sinks: Write + Send {
    fn close(self: Box<Self>, name: Option<&Path>) -> io::Result<()>;
}

/// What bytes end in.
trait Whole: Write {
    fn whole(self, name: Option<&Path>) -> io::Result<()>;
}

impl<W: Whole + Send> Sinks for BufWriter<W> {
    fn close(self: Box<Self>, name: Option<&Path>) -> io::Result<()> {
        let inner = self.into_inner().map_err(|error| error.into_error())?;
        inner.whole(name)
    }
}

impl<W: Whole + Send> Sinks for GzEncoder<BufWriter<W>> {
    fn close(self: Box<Self>, name: Option<&Path>) -> io::Result<()> {
        Box::new(self.finish()?).close(name)
    }
}

impl<W: Whole> Whole for Counted<W> {
    fn whole(self, name: Option<&Path>) -> io::Result<()> {
        self.out.whole(name)
    }
}

impl Whole for NamedTempFile {
    fn whole(self, name: Option<&Path>) -> io::Result<()> {
        self.as_file().sync_all()?;
        match name {
            Some(name) => self.persist(name).map(drop).map_err(|error| error.error),
            None => Ok(()),
        }
    }
}

impl Whole for File {
    fn whole(mut self, _name: Option<&Path>) -> io::Result<()> {
        self.flush()
    }
}

impl Whole for io::Stdout {
    fn whole(mut self, _name: Option<&Path>) -> io::Result<()> {
        self.flush()
    }
}

/// The form, and whether it is packed by gzip. Errors: it is not said, or there is none of that name.
fn form(to: &To, context: &Context) -> Outcome<(Form, bool)> {
    let name = to.out.file_name().unwrap_or_default().to_string_lossy();
    let (name, packed) = match name.strip_suffix(".gz") {
        Some(name) => (name.to_owned(), true),
        None => (name.into_owned(), false),
    };
    if let Some(asked) = &to.format {
        let Some(form) = Form::of_ending(asked) else {
            let near = did_you_mean(asked, Form::ALL.iter().map(|form| form.name()));
            let near = near.unwrap_or_else(|| format!("there are {}", forms()));
            return Err(Failure::usage(format!("\"{asked}\" is no form; {near}")));
        };
        return Ok((form, packed));
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let by_output = match context.asked_format() {
        Some(Format::Csv) => Some(Form::Csv),
        Some(Format::Jsonl) => Some(Form::Jsonl),
        _ => None,
    };
    let found = match to.out.as_os_str() == "-" {
        true => by_output,
        false => Form::of_ending(ending),
    };
    match found {
        Some(form) => Ok((form, packed)),
        None => {
            let what = match to.out.as_os_str() == "-" {
                true => "standard output has no name that tells the form".to_owned(),
                false => format!(
                    "the name of \"{}\" does not tell the form",
                    to.out.display()
                ),
            };
            Err(Failure::usage(what).hint(format!("say it with --format: {}", forms())))
        }
    }
}

fn forms() -> String {
    Form::ALL.map(Form::name).join(", ")
}

/// Errors: a folder, or a file without --force, is in the way; the folder is not there.
fn place(path: &Path, force: bool) -> Outcome<Place> {
    let found = match std::fs::metadata(path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::file(path, &error)),
    };
    let shown = path.display();
    match found {
        Some(found) if found.is_dir() => {
            let what = format!("\"{shown}\" is a folder");
            Err(Failure::usage(what).hint("name the file in it too"))
        }
        Some(found) if !found.is_file() => Ok(Place::Device(path.to_owned())),
        Some(_) if !force => {
            let what = format!("\"{shown}\" is there already");
            let hint = "choose another name, or overwrite it with --force";
            Err(Failure::new(Exit::Conflict, "FILE_EXISTS", what).hint(hint))
        }
        found => {
            // A link is followed, so that it stays one.
            let path = match found {
                Some(_) => path
                    .canonicalize()
                    .map_err(|error| Failure::file(path, &error))?,
                None => path.to_owned(),
            };
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).to_owned();
            if !folder.is_dir() {
                let what = format!("there is no folder \"{}\"", folder.display());
                let failure = Failure::new(Exit::NotFound, "FILE_NOT_FOUND", what);
                return Err(failure.hint("make it first, or name another"));
            }
            Ok(Place::File { path, folder })
        }
    }
}
