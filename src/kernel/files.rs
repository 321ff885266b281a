//! Files that only their owner may read, whatever the umask of the process is.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// What the owner may do, and nobody else.
const OWNER: u32 = 0o600;

/// Makes a new file that only its owner may read and write.
pub fn create(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().write(true).create_new(true).mode(OWNER).open(path)
}

/// Sees to it that there is a file which only its owner may read. One that is there is not opened: whoever
/// closes a file that SQLite has open in the same process lets go of SQLite's locks.
pub fn keep_private(path: &Path) -> io::Result<()> {
    match create(path) {
        Ok(_) => Ok(()),
        // A link to what is not there yet: what it points to is made.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && !path.exists() => {
            OpenOptions::new().write(true).create(true).truncate(false).mode(OWNER).open(path).map(drop)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            close_to_others(path);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Takes from all but the owner what they may do with a file, if it is there. Where that is not ours to
/// change, it is said.
pub fn close_to_others(path: &Path) {
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.permissions().mode() & 0o777;
    if !metadata.is_file() || mode == mode & 0o700 {
        return;
    }
    let path_shown = path.display();
    match fs::set_permissions(path, Permissions::from_mode(mode & 0o700)) {
        Ok(()) => {
            tracing::warn!("{path_shown} was open to others (mode {mode:o}); now only its owner may read it");
        }
        Err(error) => tracing::warn!(%error, "{path_shown} is open to others (mode {mode:o})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_may_read_them() {
        let folder = std::env::temp_dir().join(format!("caseload-files-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        let (new, open, link) = (folder.join("new"), folder.join("open"), folder.join("link"));
        keep_private(&new).expect("a file");
        assert_eq!(mode(&new), 0o600);
        fs::write(&open, "text").expect("a file");
        for (before, after) in [(0o664, 0o600), (0o444, 0o400), (0o700, 0o700)] {
            fs::set_permissions(&open, Permissions::from_mode(before)).expect("a mode");
            keep_private(&open).expect("a file");
            assert_eq!(mode(&open), after);
        }
        assert_eq!(fs::read_to_string(&open).expect("a file"), "text");
        std::os::unix::fs::symlink("behind", &link).expect("a link");
        keep_private(&link).expect("a file");
        assert_eq!(mode(&folder.join("behind")), 0o600);
        close_to_others(&folder);
        close_to_others(&folder.join("nothing"));
        assert!(keep_private(&folder.join("nowhere").join("file")).is_err());
        fs::remove_dir_all(&folder).expect("an empty place");
    }
}
