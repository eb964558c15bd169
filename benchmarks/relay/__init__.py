"""The relay under load, beside a raw send loop and Socket.IO."""
