//! A body as it arrives: decompressed and bounded.

use super::Error;
use brotli_decompressor::DecompressorWriter;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::{self, Write};

const BROTLI_BUFFER_BYTES: usize = 4096;

/// Takes a body piece by piece. What it holds never exceeds the bound, whatever was compressed.
pub(super) struct Decoder {
    stage: Stage,
    bytes_max: u64,
    has_begun: bool,
}

enum Stage {
    Plain(Sink),
    Gzip(MultiGzDecoder<Sink>),
    /// Which of the two kinds of deflate it is only the first byte tells.
    DeflateUnknown(Sink),
    Zlib(ZlibDecoder<Sink>),
    Deflate(DeflateDecoder<Sink>),
    Brotli(Box<DecompressorWriter<Sink>>),
}

struct Sink {
    bytes: Vec<u8>,
    bytes_max: u64,
    is_over: bool,
}

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if (self.bytes.len() + piece.len()) as u64 > self.bytes_max {
            self.is_over = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Decoder {
    /// A decoder for `Content-Encoding`. One that is not known leaves the body as it is.
    pub(super) fn new(encoding: Option<&str>, bytes_max: u64) -> Self {
        let sink = Sink { bytes: Vec::new(), bytes_max, is_over: false };
        let stage = match encoding.map(|name| name.trim().to_ascii_lowercase()).as_deref() {
            Some("gzip" | "x-gzip") => Stage::Gzip(MultiGzDecoder::new(sink)),
            Some("deflate") => Stage::DeflateUnknown(sink),
            Some("br") => {
                Stage::Brotli(Box::new(DecompressorWriter::new(sink, BROTLI_BUFFER_BYTES)))
            }
            Some(_) | None => Stage::Plain(sink),
        };
        Self { stage, bytes_max, has_begun: false }
    }

    /// Takes a piece of the body.
    pub(super) fn push(self, piece: &[u8]) -> Result<Self, Error> {
        let bytes_max = self.bytes_max;
        if piece.is_empty() {
            return Ok(self);
        }
        let mut stage = match self.stage {
            Stage::DeflateUnknown(sink) => match piece[0] & 0x0f {
                8 => Stage::Zlib(ZlibDecoder::new(sink)),
                _ => Stage::Deflate(DeflateDecoder::new(sink)),
            },
            stage => stage,
        };
        let written = match &mut stage {
            Stage::Plain(sink) | Stage::DeflateUnknown(sink) => sink.write_all(piece),
            Stage::Gzip(decoder) => decoder.write_all(piece),
            Stage::Zlib(decoder) => decoder.write_all(piece),
            Stage::Deflate(decoder) => decoder.write_all(piece),
            Stage::Brotli(decoder) => decoder.write_all(piece),
        };
        match written {
            Ok(()) => Ok(Self { stage, bytes_max, has_begun: true }),
            Err(_) if stage.is_over() => Err(Error::TooLarge { bytes_max }),
            Err(_) => Err(Error::Encoding { encoding: stage.encoding() }),
        }
    }

    /// The body, once all of it was pushed.
    pub(super) fn finish(self) -> Result<Vec<u8>, Error> {
        // Answers to HEAD and 304 name an encoding and have no body.
        if !self.has_begun {
            return Ok(Vec::new());
        }
        let encoding = self.stage.encoding();
        let unreadable = || Error::Encoding { encoding };
        let finished = match self.stage {
            Stage::Plain(sink) | Stage::DeflateUnknown(sink) => Ok(sink),
            Stage::Gzip(mut decoder) => {
                decoder.try_finish().and_then(|()| decoder.finish()).map_err(|_| unreadable())
            }
            Stage::Zlib(decoder) => decoder.finish().map_err(|_| unreadable()),
            Stage::Deflate(decoder) => decoder.finish().map_err(|_| unreadable()),
            Stage::Brotli(mut decoder) => match decoder.close() {
                Ok(()) => decoder.into_inner().map_err(|_| unreadable()),
                Err(_) => Err(unreadable()),
            },
        };
        match finished {
            Ok(sink) if sink.is_over => Err(Error::TooLarge { bytes_max: self.bytes_max }),
            Ok(sink) => Ok(sink.bytes),
            Err(error) => Err(error),
        }
    }
}

impl Stage {
    fn is_over(&self) -> bool {
        match self {
            Stage::Plain(sink) | Stage::DeflateUnknown(sink) => sink.is_over,
            Stage::Gzip(decoder) => decoder.get_ref().is_over,
            Stage::Zlib(decoder) => decoder.get_ref().is_over,
            Stage::Deflate(decoder) => decoder.get_ref().is_over,
            Stage::Brotli(decoder) => decoder.get_ref().is_over,
        }
    }

    fn encoding(&self) -> &'static str {
        match self {
            Stage::Plain(_) => "identity",
            Stage::Gzip(_) => "gzip",
            Stage::DeflateUnknown(_) | Stage::Zlib(_) | Stage::Deflate(_) => "deflate",
            Stage::Brotli(_) => "br",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    fn decode(encoding: &str, body: &[u8], bytes_max: u64) -> Result<Vec<u8>, Error> {
        body.chunks(7)
            .try_fold(Decoder::new(Some(encoding), bytes_max), Decoder::push)
            .and_then(Decoder::finish)
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_encoding_comes_out_as_it_went_in() {
        let text = b"all the news that's fit to print, twice: all the news that's fit to print";
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(text).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(text).unwrap();
        assert_eq!(decode("GZIP", &gzip(text), 100).unwrap(), text);
        assert_eq!(decode("deflate", &zlib.finish().unwrap(), 100).unwrap(), text);
        assert_eq!(decode("deflate", &raw.finish().unwrap(), 100).unwrap(), text);
        assert_eq!(decode("identity", text, 100).unwrap(), text);
        // "millrace" as one uncompressed brotli metablock, and the empty last one.
        let brotli = [&[0x8b, 0x03, 0x80][..], b"millrace", &[0x03]].concat();
        assert_eq!(decode("br", &brotli, 100).unwrap(), b"millrace");
    }

    #[test]
    fn a_bomb_stops_at_the_bound() {
        let bomb = gzip(&vec![0; 10_000_000]);
        assert!(bomb.len() < 20_000);
        assert!(matches!(
            decode("gzip", &bomb, 1_000_000),
            Err(Error::TooLarge { bytes_max: 1_000_000 })
        ));
        assert!(matches!(decode("identity", &[0; 11], 10), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn a_body_cut_short_is_not_taken_for_whole() {
        let whole = gzip(b"a sentence that is long enough to be cut");
        for encoding in ["gzip", "deflate", "br"] {
            let cut = &whole[..whole.len() - 9];
            assert!(matches!(decode(encoding, cut, 1000), Err(Error::Encoding { .. })));
        }
    }

    #[test]
    fn an_empty_body_is_empty_in_any_encoding() {
        for encoding in ["gzip", "deflate", "identity", "zstd"] {
            assert_eq!(Decoder::new(Some(encoding), 10).finish().unwrap(), b"", "{encoding}");
        }
    }
}
