//! The log on one machine: segment files in one directory, one group commit for all partitions.
