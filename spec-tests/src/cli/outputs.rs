//! Which reports are written, and where.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{Exit, print};
use crate::report;
use crate::verdict::Report;

/// How a report is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
    Junit,
    Html,
}

impl Format {
    /// A whole report; text is coloured where that is asked for.
    fn of(self, report: &Report, colour: bool) -> Result<String, String> {
        match self {
            Self::Text => Ok(report::text(report, colour)),
            Self::Json => report::json(report).map_err(|fault| fault.to_string()),
            Self::Junit => report::junit(report).map_err(|fault| fault.to_string()),
            Self::Html => report::html(report).map_err(|fault| fault.to_string()),
        }
    }
}

/// One report that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    format: Format,
    /// Standard output where there is none.
    file: Option<PathBuf>,
}

impl FromStr for Wanted {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, file) = text
            .split_once('=')
            .filter(|(_, file)| !file.is_empty())
            .ok_or("right is FORMAT=FILE, as junit=report.xml; with - as the file it goes to standard output")?;
        let format = match format {
            "text" => Format::Text,
            "json" => Format::Json,
            "junit" => Format::Junit,
            "html" => Format::Html,
            _ => return Err("the format has to be text, json, junit or html"),
        };
        let file = (file != "-").then(|| PathBuf::from(file));
        Ok(Self { format, file })
    }
}

/// All reports of a run, with their files open.
#[derive(Debug)]
pub(super) struct Outputs {
    printed: Option<Format>,
    files: Vec<(Format, PathBuf, File)>,
}

impl Outputs {
    /// Opens the files, and makes them empty once all could be opened: no report of an earlier run is taken for this one's,
    /// and none is lost to a command line that makes no sense.
    ///
    /// **Errors**: where one cannot be written, or two go to one place. Told before anything is asked of an agent.
    pub(super) fn open(wanted: &[Wanted], quiet: bool) -> Result<Self, String> {
        let mut outputs = Self {
            printed: None,
            files: Vec::new(),
        };
        for (number, Wanted { format, file }) in wanted.iter().enumerate() {
            let Some(path) = file else {
                if outputs.printed.replace(*format).is_some() {
                    return Err("--report: only one report can go to standard output".to_owned());
                }
                continue;
            };
            if wanted[..number].iter().any(|other| other.file == *file) {
                return Err(format!("--report: two reports go to {}", path.display()));
            }
        }
        let mut places = BTreeSet::new();
        for Wanted { format, file } in wanted {
            let Some(path) = file else { continue };
            let fault = |fault: io::Error| format!("--report: {} cannot be written: {fault}", path.display());
            let file = File::options().write(true).create(true).truncate(false).open(path);
            let file = file.map_err(fault)?;
            let about = file.metadata().map_err(fault)?;
            if about.is_file() && !places.insert((about.dev(), about.ino())) {
                return Err(format!("--report: two reports go to {}, by two names", path.display()));
            }
            outputs.files.push((*format, path.clone(), file));
        }
        for (_, path, file) in &outputs.files {
            let emptied = file
                .metadata()
                .and_then(|about| if about.is_file() { file.set_len(0) } else { Ok(()) });
            emptied.map_err(|fault| told(path, &fault.to_string()))?;
        }
        if !quiet {
            outputs.printed.get_or_insert(Format::Text);
        }
        Ok(outputs)
    }

    /// Writes all of them. What cannot be written keeps none of the others from being.
    ///
    /// **Errors**: each that could not be written.
    pub(super) fn write(self, report: &Report, colour: Colour) -> Result<(), Vec<String>> {
        let mut faults = Vec::new();
        for (format, path, mut file) in self.files {
            let written = format
                .of(report, colour.in_files)
                .and_then(|text| whole(&mut file, &text));
            if let Err(fault) = written {
                faults.push(told(&path, &fault));
            }
        }
        match self.printed.map(|format| format.of(report, colour.printed)) {
            None => {}
            Some(Ok(text)) if print(&text) == Exit::Conformant => {}
            Some(Ok(_)) => faults.push("the report on standard output is not whole".to_owned()),
            Some(Err(fault)) => faults.push(fault),
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

fn whole(file: &mut File, text: &str) -> Result<(), String> {
    let written = file.write_all(text.as_bytes()).and_then(|()| file.flush());
    written.map_err(|fault| fault.to_string())
}

fn told(path: &Path, fault: &str) -> String {
    format!("the report {} cannot be written: {fault}", path.display())
}

/// Where text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour {
    /// On standard output.
    pub(super) printed: bool,
    /// In files.
    pub(super) in_files: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_asked_for_by_format_and_file() {
        let wanted = |format, file: &str| {
            Ok(Wanted {
                format,
                file: Some(PathBuf::from(file)),
            })
        };
        assert_eq!("junit=a=b.xml".parse::<Wanted>(), wanted(Format::Junit, "a=b.xml"));
        assert_eq!("html=page".parse::<Wanted>(), wanted(Format::Html, "page"));
        assert_eq!("json=-".parse::<Wanted>().unwrap().file, None);
        for wrong in ["junit", "junit=", "pdf=x", "=x", ""] {
            assert!(wrong.parse::<Wanted>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_lost_to_what_makes_no_sense() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report");
        std::fs::write(&path, "of an earlier run").unwrap();
        let good = format!("json={}", path.display());
        for wrong in ["text=/no/such/directory/report", good.as_str()] {
            let wanted: Vec<Wanted> = [&good, wrong].iter().map(|text| text.parse().unwrap()).collect();
            assert!(Outputs::open(&wanted, false).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "of an earlier run");
        }
        Outputs::open(&[good.parse().unwrap()], false).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn two_reports_do_not_go_to_one_place() {
        let asked = |texts: &[&str]| {
            let wanted: Vec<Wanted> = texts.iter().map(|text| text.parse().unwrap()).collect();
            Outputs::open(&wanted, false)
        };
        assert!(asked(&["json=-", "text=-"]).is_err());
        assert!(asked(&["json=/dev/null", "html=/dev/null"]).is_err());
        assert!(
            asked(&["json=/no/such/directory/report"])
                .unwrap_err()
                .contains("/no/such/directory/report")
        );
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = (directory.path().join("one"), directory.path().join("other"));
        std::os::unix::fs::symlink(&one, &other).unwrap();
        let wanted = [&one, &other].map(|path| format!("json={}", path.display()));
        assert!(
            asked(&wanted.each_ref().map(String::as_str)).is_err(),
            "one file by two names"
        );
        assert_eq!(asked(&[]).unwrap().printed, Some(Format::Text));
        assert_eq!(asked(&["json=-"]).unwrap().printed, Some(Format::Json));
        assert_eq!(Outputs::open(&[], true).unwrap().printed, None);
    }
}
