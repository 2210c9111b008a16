"""Messages: words for channels outside Passlight (group chats, mail, SMS) and the ways there."""
