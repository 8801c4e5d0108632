//! Rows and blobs on one machine: fjall and files in one directory.
