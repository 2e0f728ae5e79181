import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Wire

/// Gives a body to the answer of the web framework to what is no HTTP: it sends an empty 400, and our clients read JSON. None of our
/// own answers is a 400 without a body.
final class ParserRefusals: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data), head.status == .badRequest, head.headerFields[.contentLength] == "0" else {
            return context.write(data, promise: promise)
        }
        let reply = Reply.rejected(Rejection(.badRequest, message: "the request is not HTTP as this server reads it"))
        head.headerFields[.contentLength] = String(reply.body.count)
        head.headerFields[.contentType] = reply.header("content-type")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: reply.body))), promise: promise)
    }
}
