extension String {
    /// Whether there is nothing in it but blanks. An empty text is blank.
    package var isBlank: Bool {
        guard let first = unicodeScalars.first else { return true }
        // Most texts begin with something.
        return first.properties.isWhitespace && unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }
}
