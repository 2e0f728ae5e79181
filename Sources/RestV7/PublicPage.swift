import HTTPShell

/// A page for people without an account: one box with a heading and a form.
enum PublicPage {
    static func reply(_ title: String, _ content: HTML, status: Int = 200) -> Reply {
        .page(
            """
            <!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
            <title>\(title) · Tributary</title><style>\(style)</style><main>\(content)</main></html>
            """, status: status)
    }

    private static let style: HTML = """
        body{margin:0;background:#f3f5f7;color:#1d2733;font:16px/1.5 system-ui,sans-serif}
        main{max-width:26rem;margin:12vh auto;padding:2rem;background:#fff;border-radius:10px;box-shadow:0 1px 4px #0002}
        h1{margin:0 0 .5rem;font-size:1.35rem}label{display:block;margin:.8rem 0}code{color:#5a6877;font-size:.85em}
        input:not([type=hidden]){display:block;width:100%;box-sizing:border-box;padding:.5rem;font:inherit;border:1px solid #b9c2cc;border-radius:6px}
        button{padding:.5rem 1.1rem;font:inherit;border:1px solid #1666c0;border-radius:6px;background:#1666c0;color:#fff;cursor:pointer}
        .quiet{background:#fff;color:#1666c0}.link{border:0;background:none;color:#1666c0;padding-left:.3rem}
        ul{padding-left:1.2rem}.problem{color:#a8200d}
        """
}
