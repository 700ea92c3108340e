//! Files that only their owner can read. Where the system has no such permissions, as on Windows,
//! the directory's own rules hold.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// Makes a directory if it is not there, and closes it to others either way.
///
/// # Errors
/// It cannot be made, or is somebody else's.
pub fn directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    close(path, 0o700)
}

/// Opens a file to read and write, and closes it to others; one that is not there is made empty.
///
/// # Errors
/// It cannot be made or opened, or is somebody else's.
pub fn file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    let file = owners_only(&mut options).open(path)?;
    close(path, 0o600)?;
    Ok(file)
}

/// Opens a file to write it anew, and closes it to others; what is no file, such as `/dev/stdout`, is
/// left as it is.
///
/// # Errors
/// It cannot be made or opened, or is somebody else's.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    let file = owners_only(&mut options).open(path)?;
    if file.metadata()?.is_file() {
        close(path, 0o600)?;
    }
    Ok(file)
}

/// Writes a new file in the place of any that is there, whole or not at all. Who has opened the one
/// before it, while others could, does not see the text.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = owners_only(options.write(true).create_new(true)).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    fs::rename(unfinished, path)
}

/// A file that is made gets its permissions at once, so that nobody opens it before.
fn owners_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Takes from others what they may do with a file or directory, if it is there.
///
/// # Errors
/// It is somebody else's.
#[cfg(unix)]
pub fn close(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?.permissions(),
    };
    // One that is closed already may be on a file system that changes no permissions.
    if permissions.mode() & 0o077 == 0 {
        return Ok(());
    }
    permissions.set_mode(mode);
    fs::set_permissions(path, permissions)
}

/// Nothing, where there are no such permissions.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn close(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
