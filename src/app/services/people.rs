//! Social networks, chat, meetings, mail.

super::service_rows! {
    "twitter", "X (Twitter)", Social, ["Twitter"], ["twitter.com", "twimg.com", "t.co", "x.com", "twttr.com", "twitpic.com", "pscp.tv", "periscope.tv", "tweetdeck.com"];
    "tiktok", "TikTok", Social, ["TikTok"], ["tiktok.com", "tiktokcdn.com", "tiktokv.com", "musical.ly", "byteoversea.com", "ibytedtos.com", "ibyteimg.com", "tiktokcdn-us.com", "tiktokcdn-eu.com", "tiktokv.us", "tiktokv.eu", "tiktokw.us", "ttwstatic.com", "muscdn.com", "bytefcdn-oversea.com", "byteglb.com", "isnssdk.com", "bytedance.com", "pstatp.com"];
    "likee", "Likee", Social, ["Likee"], ["likee.com", "likee.video", "like.video", "likeevideo.com"];
    "snapchat", "Snapchat", Social, ["Snapchat", "SnapchatCall"], ["snapchat.com", "snap.com", "sc-cdn.net", "snapads.com", "sc-static.net", "sc-jpl.com", "snapkit.co", "addlive.io", "feelinsonice.com", "sc-gw.com", "snap-dev.net"];
    "pinterest", "Pinterest", Social, ["Pinterest"], ["pinterest.com", "pinimg.com", "pin.it", "pinterest.de", "pinterest.fr", "pinterest.co.uk"];
    "reddit", "Reddit", Social, ["Reddit"], ["reddit.com", "redd.it", "redditstatic.com", "redditmedia.com", "reddituploads.com"];
    "tumblr", "Tumblr", Social, ["Tumblr"], ["tumblr.com"];
    "bluesky", "Bluesky", Social, ["Bluesky"], ["bsky.app", "bsky.social", "bsky.network", "atproto.com"];
    "mastodon", "Mastodon", Social, ["Mastodon"], ["mastodon.social", "joinmastodon.org", "mastodon.online", "mstdn.social", "fosstodon.org", "mastodon.world", "mas.to", "mstdn.jp"];
    "badoo", "Badoo", Social, ["Badoo"], ["badoo.com", "badoocdn.com", "bumble.com", "bumbcdn.com"];
    "tinder", "Tinder", Social, [], ["tinder.com", "gotinder.com"];
    "quora", "Quora", Social, [], ["quora.com", "quoracdn.net"];
    "telegram-web", "Telegram", Chat, ["Telegram"], ["telegram.org", "t.me", "telegram.me", "telesco.pe", "tdesktop.com", "telegra.ph", "cdn-telegram.org", "telegram-cdn.org"];
    "signal", "Signal", Chat, ["Signal", "SignalVoip"], ["signal.org", "whispersystems.org", "signal.me", "signal.art"];
    "discord", "Discord", Chat, ["Discord"], ["discord.com", "discordapp.com", "discord.gg", "discordapp.net", "discord.media", "discordcdn.com", "dis.gd", "discord.co"];
    "slack", "Slack", Chat, ["Slack"], ["slack.com", "slack-edge.com", "slack-msgs.com", "slack-files.com", "slackb.com", "slack-imgs.com", "slack-core.com", "slack-redir.net"];
    "viber-web", "Viber", Chat, ["Viber", "ViberVoip"], ["viber.com", "viber.co.jp", "vibe.mobi"];
    "line", "LINE", Chat, ["Line", "LineCall"], ["line.me", "line-apps.com", "line-scdn.net", "naver.jp", "line.naver.jp", "line-cdn.net", "linecorp.com"];
    "kakaotalk", "KakaoTalk", Chat, ["KakaoTalk"], ["kakao.com", "kakao.co.kr", "kakaocdn.net", "kakaocorp.com", "daumcdn.net"];
    "wechat", "WeChat", Chat, ["WeChat", "QQ"], ["wechat.com", "weixin.qq.com", "wechatapp.com", "weixin.com", "wx.qq.com", "weixinbridge.com"];
    "threema-web", "Threema", Chat, ["Threema"], ["threema.ch"];
    "matrix", "Matrix", Chat, [], ["matrix.org", "element.io"];
    "icq", "ICQ", Chat, [], ["icq.com", "icq.net"];
    "imo-web", "imo", Chat, ["IMO"], ["imo.im"];
    "dingtalk", "DingTalk", Chat, ["DingTalk"], ["dingtalk.com", "dingtalkapps.com", "dingtalkcdn.com"];
    "zoom-web", "Zoom", Voice, ["Zoom"], ["zoom.us", "zoom.com", "zoomgov.com", "zmcdn.net", "zoomcdn.com", "zoom.com.cn"];
    "webex", "Webex", Voice, ["Webex"], ["webex.com", "wbx2.com", "ciscospark.com", "webexcontent.com", "webex.com.cn", "ciscowebex.com"];
    "goto", "GoTo", Voice, ["GoTo"], ["gotomeeting.com", "goto.com", "logmein.com", "gotowebinar.com", "getgo.com", "logmeininc.com", "join.me"];
    "fuze", "Fuze", Voice, ["Fuze"], ["fuze.com", "thinkingphones.com", "fuzemeeting.com"];
    "ringcentral", "RingCentral", Voice, [], ["ringcentral.com", "ringcentral.eu"];
    "jitsi", "Jitsi", Voice, [], ["jitsi.org", "jit.si", "8x8.vc"];
    "adobe-connect", "Adobe Connect", Voice, ["AdobeConnect"], ["adobeconnect.com"];
    "truphone", "Truphone", Voice, ["TruPhone"], ["truphone.com"];
    "vivox", "Vivox", Voice, [], ["vivox.com"];
    "yahoo", "Yahoo", Web, ["Yahoo"], ["yahoo.com", "yimg.com", "yahooapis.com", "yahoo.net", "yahoodns.net", "yahoo.co.jp", "yimg.jp", "aol.com", "flurry.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr"];
    "proton-mail", "Proton", Mail, [], ["proton.me", "protonmail.com", "protonmail.ch"];
    "gmx", "GMX and WEB.DE", Mail, [], ["gmx.net", "gmx.de", "gmx.com", "web.de"];
    "zoho", "Zoho", Cloud, [], ["zoho.com", "zoho.eu", "zohocdn.com"];
    "mailchimp", "Mailchimp", Mail, [], ["mailchimp.com", "list-manage.com", "mcsv.net"];
    "sendgrid", "SendGrid", Mail, [], ["sendgrid.com", "sendgrid.net"];
    "anydesk", "AnyDesk", Remote, ["AnyDesk"], ["anydesk.com", "net.anydesk.com"];
    "teamviewer-web", "TeamViewer", Remote, ["TeamViewer"], ["teamviewer.com", "teamviewer.cn"];
    "notion", "Notion", Cloud, [], ["notion.so", "notion.site", "notion.com"];
    "figma", "Figma", Cloud, [], ["figma.com"];
    "miro", "Miro", Cloud, [], ["miro.com"];
}
