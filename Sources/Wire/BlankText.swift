extension String {
    /// Whether there is nothing in it but blanks. An empty text is blank.
    package var isBlank: Bool {
        // Most texts begin with a letter or a digit.
        if let first = utf8.first, first > 0x20, first < 0x7F { return false }
        return unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }
}
