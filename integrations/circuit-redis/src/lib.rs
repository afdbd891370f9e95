//! Circuit breakers that share what they know, through Redis or Valkey.
